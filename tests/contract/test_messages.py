"""Messages keep their JSON: other programs, and other versions of these services, read it.

After a change that is meant, `TALLY_UPDATE_GOLDEN=1 make unit` writes the golden files anew; the diff is then reviewed.
"""

import inspect
import json
import os
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import shared.contracts
from shared.contracts.api import ResolveRow
from shared.contracts.ledger import Claimed, ledger_entry
from shared.contracts.message import Message, NewerVersionError
from tests.contract.messages import DOCUMENTS, MESSAGES

GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = {**MESSAGES, **DOCUMENTS}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_message_looks_on_the_bus_as_its_golden_file_says(name: str) -> None:
    golden = GOLDEN / f"{name}.json"
    body = json.dumps(EXAMPLES[name].model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("TALLY_UPDATE_GOLDEN"):
        golden.write_text(body, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == body


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_golden_file_reads_back_as_the_same_message(name: str) -> None:
    example = EXAMPLES[name]
    assert type(example).model_validate_json((GOLDEN / f"{name}.json").read_bytes()) == example


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_reader_ignores_fields_it_does_not_know(name: str) -> None:
    example = EXAMPLES[name]
    body = json.loads((GOLDEN / f"{name}.json").read_bytes()) | {"added_by_a_later_version": 1}
    assert type(example).model_validate(body) == example


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_of_a_newer_version_is_told_from_one_that_is_wrong(name: str) -> None:
    """Whatever else of it this release cannot read."""
    model = type(MESSAGES[name])
    with pytest.raises(NewerVersionError, match="E-4060"):
        model.model_validate_json(json.dumps({"version": model.newest + 1, "kind": "unheard of"}))


def test_a_newer_ledger_entry_may_be_of_a_kind_that_is_not_known() -> None:
    with pytest.raises(NewerVersionError):
        ledger_entry.validate_json(json.dumps({"version": Claimed.newest + 1, "kind": "unheard of"}))


def test_every_message_model_has_a_golden_file() -> None:
    models = {
        model
        for module in pkgutil.iter_modules(shared.contracts.__path__, "shared.contracts.")
        for _, model in inspect.getmembers(import_module(module.name), inspect.isclass)
        if issubclass(model, Message) and not model.__name__.startswith("_") and model is not Message
    }
    assert models == {type(message) for message in MESSAGES.values()}


def test_every_message_model_says_what_it_is() -> None:
    undocumented = [type(model).__name__ for model in EXAMPLES.values() if not (type(model).__doc__ or "").strip()]
    assert undocumented == []


def test_a_tracking_number_may_be_typed_as_it_is_printed() -> None:
    printed = ResolveRow(job_id="job", row_number=1, tracking_number=" 1z 999 aa1 01 2345 6784 ")
    assert printed.tracking_number == "1Z999AA10123456784"
