"""The commands of docs/runbook.md, run as they stand there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"


def do_as_told(section: str, what: str, data_dir: Path) -> None:
    """Run the command that a section of the runbook has for `what` (its comment), beside a house's data directory."""
    text = _RUNBOOK.read_text(encoding="utf-8")
    found = re.search(rf"^### {re.escape(section)}\n(.*?)^##", text, re.MULTILINE | re.DOTALL)
    assert found is not None, section
    command = next(line for line in found[1].splitlines() if line.endswith(f"# {what}"))
    told = command.replace(".tally/", f"{data_dir.name}/")
    subprocess.run(["bash", "-euc", told], cwd=data_dir.parent, check=True, timeout=60)
