"""The AsyncAPI document tells what the bus carries."""

import inspect
import json
from pathlib import Path
from typing import Any

from services.coordinator.control import Control
from shared.bus import topology
from shared.contracts import subjects
from shared.contracts.asyncapi import CHANNELS, document

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def test_the_committed_document_is_what_make_docs_writes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_control_call_has_a_channel() -> None:
    nobody: dict[str, Any] = dict.fromkeys(inspect.signature(Control).parameters)
    calls = Control(**nobody).calls()
    assert {subjects.api(name) for name in calls} <= set(json.loads(document())["channels"])


def test_every_durable_consumer_takes_a_documented_subject() -> None:
    documented = [subject for subject, *_ in CHANNELS]
    for consumer in topology.CONSUMERS:
        prefix = consumer.filter.rstrip("*.>")
        assert any(subject.startswith(prefix) for subject in documented), consumer.durable
