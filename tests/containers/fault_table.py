"""The containers' section of docs/fault-table.md: every fault, and what a run of it came to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tests.containers.jobs import Books
from tests.crash.table import markdown

PAGE = Path(__file__).parents[2] / "docs" / "fault-table.md"
HEADINGS = ("what happened half-way", "rows", "duplicates", "lost", "unshipped", "longest standstill, s", "outcome")
_SECTION = re.compile(r"(<!-- containers: .*? -->\n).*?(<!-- containers end -->)", re.DOTALL)
_UPDATING = bool(os.environ.get("TALLY_UPDATE_FAULT_TABLE"))

Line = tuple[str, int, Books]


def write(lines: Sequence[Line]) -> None:
    """Put a run's lines into the page, where TALLY_UPDATE_FAULT_TABLE is set."""
    if _UPDATING:
        table = markdown([HEADINGS, *(_cells(*line) for line in lines)])
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_SECTION.sub(rf"\1{table}\n\2", page), encoding="utf-8")


def faults_told() -> list[str]:
    """The faults that the page tells of, in its order."""
    section = _SECTION.search(PAGE.read_text(encoding="utf-8"))
    assert section is not None
    lines = [line for line in section.group().splitlines() if line.startswith("| ")]
    return [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]]


def _cells(name: str, rows: int, books: Books) -> tuple[str, ...]:
    counts = (rows, books.duplicates, books.lost, books.unshipped)
    return (name, *map(str, counts), f"{books.standstill:.1f}", books.status.value)
