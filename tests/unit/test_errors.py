"""The registry of errors: every entry can be raised with the values that it names."""

import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from shared.errors import REGISTRY, SHEET_NOT_FOUND, ErrorKind, TallyError
from shared.errors.reference import SECTIONS, find, near, page

# These name the error's own place in the source, and never reach the sentence.
PLACES = {"row", "details"}


def named(kind: ErrorKind) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(kind.cause + kind.action) if name}


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
def test_an_error_reads_as_a_sentence_with_its_values(kind: ErrorKind) -> None:
    assert not named(kind) & PLACES
    values: dict[str, Any] = dict.fromkeys(named(kind), "something")
    error = TallyError(kind, **values)
    assert error.body.message.endswith(".")
    assert "{" not in str(error)


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
def test_an_entry_has_a_code_of_its_section_a_title_a_cause_and_what_to_do(kind: ErrorKind) -> None:
    assert re.fullmatch(r"E-[1-5]\d{3}", kind.code)
    assert kind.code[2] in SECTIONS
    assert kind.title[0].isupper()
    assert not kind.title.endswith(".")
    assert kind.cause.endswith(".")
    assert ". " not in kind.cause, "a cause is one sentence"
    assert kind.action.endswith((".", "}"))


def test_an_error_is_one_line_without_control_characters_whatever_it_repeats() -> None:
    error = TallyError(SHEET_NOT_FOUND, path="a.xlsx", sheet="x\x1b]0;y\x07\x9b\nz", names="Orders")
    assert str(error) == "E-1022: a.xlsx has no sheet or table x?]0;y?? z. Name one of: Orders."


def test_no_two_entries_share_a_title() -> None:
    titles = [kind.title for kind in REGISTRY.values()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("typed", ["E-3012", "e-3012", "E3012", "3012", " E-3012 "])
def test_a_code_is_found_however_it_is_typed(typed: str) -> None:
    assert find(typed) is REGISTRY["E-3012"]


def test_what_is_no_code_finds_nothing_and_has_near_ones_of_its_section() -> None:
    assert find("E-3999") is None
    assert find("nonsense") is None
    assert {code[2] for code in near("E-3999")} == {"3"}
    assert near("E-3014")[:2] == ["E-3013", "E-3012"]
    assert near("nonsense") == []


def test_the_committed_page_is_what_make_docs_writes() -> None:
    committed = Path(__file__).parents[2] / "docs" / "errors.md"
    assert committed.read_text(encoding="utf-8") == page()


def test_the_page_has_every_code_once() -> None:
    assert re.findall(r"^### (E-\d{4}) ", page(), re.MULTILINE) == sorted(REGISTRY)
