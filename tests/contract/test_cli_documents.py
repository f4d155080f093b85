"""`--json` of every command is pinned by a JSON schema: scripts read it.

After a change that is meant, `TALLY_UPDATE_GOLDEN=1 make unit` writes the schemas anew; the diff is then reviewed.
"""

import json
import os
from pathlib import Path

import pytest

from services.cli.main import app
from tests.contract.cli_documents import PRINTED

SCHEMAS = Path(__file__).parent / "cli"


@pytest.mark.parametrize("command", sorted(PRINTED))
def test_a_command_prints_what_its_schema_says(command: str) -> None:
    schema = SCHEMAS / f"{command}.schema.json"
    body = json.dumps(PRINTED[command].adapter.json_schema(mode="serialization"), indent=1, sort_keys=True) + "\n"
    if os.environ.get("TALLY_UPDATE_GOLDEN"):
        schema.write_text(body, encoding="utf-8")
    assert schema.read_text(encoding="utf-8") == body


def test_every_command_has_a_schema_and_every_schema_a_command() -> None:
    commands = {
        command.name or getattr(command.callback, "__name__", "")
        for panel in app.registered_groups
        if panel.typer_instance is not None
        for command in panel.typer_instance.registered_commands
    }
    assert set(PRINTED) == commands | {"error"}
    assert {path.name.removesuffix(".schema.json") for path in SCHEMAS.iterdir()} == set(PRINTED)
