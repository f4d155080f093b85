"""Whether the numbers that were written still stand in the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.coordinator.sources.source_check import ExpectedNumber, StandingNumbers, WrittenNumber, open_written
from shared.contracts.source import ExcelSource, ParquetSource
from shared.errors import TallyError
from shared.sources.database_connection import Connections
from shared.sources.rows import row_checksum
from tests.unit.source_files import KINDS, Kind

COLUMNS = ("name", "tracking_number")


def missing(path: Path, kind: Kind, *expected: WrittenNumber) -> list[int]:
    with open_written(kind.source(path), [path.parent], Connections({})) as snapshot:
        standing = StandingNumbers(snapshot)
        displaced = [one for start in range(0, len(expected), 2) for one in standing.displaced(expected[start:][:2])]
        return standing.missing(displaced)


def numbers(*texts: str) -> list[WrittenNumber]:
    return [WrittenNumber(row, (row,), text) for row, text in enumerate(texts, start=1)]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.suffix)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.mark.parametrize(
    ("rows", "lacking"),
    [
        ([["A", "1Z1"], ["B", "1Z2"], ["C", "1Z3"]], []),
        ([["C", "1Z3"], ["A", "1Z1"], ["B", "1Z2"]], []),
        ([["A", ""], ["B", "1Z2"], ["C", ""]], [1, 3]),
        ([["A", "1Z1"], ["B", "other"], ["C", " 1Z3 "]], [2]),
        ([["A", "1Z1"], ["new", ""], ["B", "1Z2"], ["C", "1Z3"]], []),
        ([["A", "1Z1"]], [2, 3]),
    ],
    ids=["as written", "sorted", "older state", "another number", "row inserted", "rows deleted"],
)
def test_what_is_missing_is_found_wherever_its_row_went(
    kind: Kind, tmp_path: Path, rows: list[list[str]], lacking: list[int]
) -> None:
    path = kind.make(tmp_path)
    kind.fill(path, rows, COLUMNS)
    assert missing(path, kind, *numbers("1Z1", "1Z2", "1Z3")) == lacking


def test_a_number_of_several_rows_is_missing_where_one_of_them_lacks_it(kind: Kind, tmp_path: Path) -> None:
    path = kind.make(tmp_path)
    expected = [WrittenNumber(1, (1, 2), "1Z1"), WrittenNumber(2, (3,), "1Z3")]
    kind.fill(path, [["A", "1Z1"], ["A", ""], ["C", "1Z3"]], COLUMNS)
    assert missing(path, kind, *expected) == [1]
    kind.fill(path, [["A", "1Z1"], ["C", "1Z3"], ["A", "1Z1"]], COLUMNS)
    assert missing(path, kind, *expected) == []


def test_rows_that_were_not_shipped_are_passed_over(kind: Kind, tmp_path: Path) -> None:
    path = kind.make(tmp_path)
    kind.fill(path, [["A", ""], ["B", "1Z2"], ["C", ""], ["D", "1Z4"]], COLUMNS)
    assert missing(path, kind, WrittenNumber(1, (2,), "1Z2"), WrittenNumber(2, (4,), "1Z4")) == []


def test_all_are_missing_in_a_file_without_the_columns(kind: Kind, tmp_path: Path) -> None:
    path = kind.make(tmp_path, rows=2)
    assert missing(path, kind, *numbers("1Z1", "1Z2")) == [1, 2]


def test_the_numbers_of_what_is_only_read_are_in_the_file_beside_it(tmp_path: Path) -> None:
    beside = tmp_path / "orders.tracking.csv"
    beside.write_text("source,row,tracking_number\norders.parquet,2,1Z2\norders.parquet,1,1Z1\n")
    for source in (
        ParquetSource(path=str(tmp_path / "orders.parquet")),
        ExcelSource(path=str(tmp_path / "orders.xlsx"), write_back="sidecar"),
    ):
        with open_written(source, [tmp_path], Connections({})) as snapshot:
            standing = StandingNumbers(snapshot)
            assert standing.missing(standing.displaced(numbers("1Z1", "1Z2", "1Z3"))) == [3]
    beside.unlink()
    with pytest.raises(TallyError, match="E-1001"):
        open_written(source, [tmp_path], Connections({}))


def unverified(path: Path, kind: Kind, *names: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """What is wrong with orders, each told by the names in its rows and shipped as 1Z1, 1Z2, …"""
    expected = [
        ExpectedNumber(number, number, f"1Z{number}", tuple(row_checksum({"name": name}) for name in rows))
        for number, rows in enumerate(names, start=1)
    ]
    with open_written(kind.source(path), [path.parent], Connections({})) as snapshot:
        found = StandingNumbers(snapshot).unverified(expected)
    return [(row.row_number, row.verdict, row.found) for row in found]


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([["A", "1Z1"], ["B", "1Z2"], ["B2", "1Z2"]], []),
        ([["B2", "1Z2"], ["A", "1Z1"], ["B", "1Z2"]], []),
        ([["A", ""], ["B", "1Z2"], ["B2", ""]], [(1, "missing", ""), (2, "missing", "")]),
        ([["A", "1Z9"], ["B", "1Z2"], ["B2", "1Z8"]], [(1, "other", "1Z9"), (2, "other", "1Z8")]),
        ([["A", "1Z1"], ["b", "1Z2"], ["B2", "1Z2"]], [(2, "gone", "")]),
        ([["A", "1Z1"], ["A", "1Z7"], ["B", "1Z2"], ["B2", "1Z2"]], []),
    ],
    ids=["as written", "sorted", "missing", "other numbers", "changed", "a like row"],
)
def test_what_is_wrong_with_a_number_is_told_by_its_rows(
    kind: Kind, tmp_path: Path, rows: list[list[str]], wrong: list[tuple[int, str, str]]
) -> None:
    path = kind.make(tmp_path)
    kind.fill(path, rows, COLUMNS)
    assert unverified(path, kind, ("A",), ("B", "B2")) == wrong
