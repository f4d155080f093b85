"""Whether the numbers written into a source still stand there: a person may have saved an older state over them.

A number is looked for where its row was, then anywhere: rows that are sorted take theirs along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.contracts.documents import UnverifiedRow
from shared.contracts.source import CsvSource, Source, has_sidecar, written_label
from shared.sources import open_source
from shared.sources.database_connection import Connections
from shared.sources.rows import tracking_number
from shared.sources.snapshot import Snapshot


@dataclass(frozen=True)
class WrittenNumber:
    """A row's tracking number, and the rows of the source that have it, counted from 1."""

    row_number: int
    source_rows: tuple[int, ...]
    number: str


@dataclass(frozen=True)
class ExpectedNumber:
    """A number that may not stand where it should, and the checksums of its rows in the source."""

    row_number: int
    source_row: int
    number: str
    checksums: tuple[str, ...]


class StandingNumbers:
    """The numbers that stand in a source; all methods block."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._rows = snapshot.rows()
        self._at, self._number = 0, ""

    def displaced(self, expected: Sequence[WrittenNumber]) -> list[WrittenNumber]:
        """Those of `expected` that do not stand where they were; asked for once, in the source's order."""
        return [one for one in expected if any(self._number_in(row) != one.number for row in one.source_rows)]

    def missing(self, displaced: Sequence[WrittenNumber]) -> list[int]:
        """The row numbers of those that stand in fewer rows than they should, wherever that is."""
        wanted = {one.number for one in displaced}
        found = Counter(number for row in self._snapshot.rows() if (number := tracking_number(row.values)) in wanted)
        return [one.row_number for one in displaced if found[one.number] < len(one.source_rows)]

    def unverified(self, expected: Sequence[ExpectedNumber]) -> list[UnverifiedRow]:
        """Those of `expected` that do not stand in their rows, wherever these are, by what is wrong."""
        wanted = {checksum for one in expected for checksum in one.checksums}
        found: dict[str, list[str]] = {}
        for row in self._snapshot.rows():
            if row.checksum in wanted:
                found.setdefault(row.checksum, []).append(tracking_number(row.values))
        judged = (_judged(one, found) for one in expected)
        return [verdict for verdict in judged if verdict is not None]

    def uncleared(self, cleared: Mapping[str, int]) -> list[UnverifiedRow]:
        """The numbers of `cleared`, which is by number, that stand in some row all the same."""
        return [
            UnverifiedRow(row_number=cleared[number], source_row=row.number, verdict="voided", tracking_number=number)
            for row in self._snapshot.rows()
            if (number := tracking_number(row.values)) in cleared
        ]

    def _number_in(self, row: int) -> str:
        while self._at < row:
            following = next(self._rows, None)
            if following is None:
                return ""
            self._at, self._number = following.number, tracking_number(following.values)
        return self._number if self._at == row else ""


def lacking(one: ExpectedNumber) -> UnverifiedRow:
    """A number that stands nowhere."""
    return UnverifiedRow(
        row_number=one.row_number, source_row=one.source_row, verdict="missing", tracking_number=one.number
    )


def _judged(one: ExpectedNumber, found: Mapping[str, Sequence[str]]) -> UnverifiedRow | None:
    """What is wrong with a number, given the numbers in the rows of each checksum; None where nothing is."""
    verdict: UnverifiedRow | None = None
    for checksum, times in Counter(one.checksums).items():
        there = found.get(checksum, ())
        if len(there) < times:
            return lacking(one).model_copy(update={"verdict": "gone"})
        unwritten = times - there.count(one.number)
        if unwritten > there.count(""):
            other = next(number for number in there if number not in {"", one.number})
            verdict = lacking(one).model_copy(update={"verdict": "other", "found": other})
        elif unwritten > 0:
            verdict = verdict or lacking(one)
    return verdict


def open_written(source: Source, roots: Sequence[Path], connections: Connections) -> Snapshot:
    """A snapshot of what the numbers of `source` went into: itself, or the file beside it. Raises as open_source."""
    return open_source(CsvSource(path=written_label(source)) if has_sidecar(source) else source, roots, connections)
