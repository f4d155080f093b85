"""The OpenAPI document tells what the console answers."""

import json
from pathlib import Path

from services.console.openapi import document

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_committed_document_is_what_make_docs_writes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_every_call_of_the_api_names_its_document_its_error_and_who_may_make_it() -> None:
    for path, calls in json.loads(document())["paths"].items():
        for method, call in calls.items():
            place = f"{method} {path}"
            assert call["description"], place
            assert call["responses"]["default"]["content"]["application/json"]["schema"] == {
                "$ref": "#/components/schemas/ErrorBody"
            }, place
            assert ("security" in call) != path.endswith("/session") or method == "get", place
