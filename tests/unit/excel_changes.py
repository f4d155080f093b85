"""Changes to workbooks, as writeback gets them for rows that were read at intake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from services.writeback.targets.excel import ExcelTarget
from services.writeback.targets.lock import SourceLocks
from shared.contracts.source import ExcelSource
from shared.contracts.writeback import RowWritten
from shared.sources.changes import RowChange
from shared.sources.excel_orders import read_orders
from shared.sources.rows import row_checksum
from tests.unit.csv_changes import change


def rows_of(path: Path, sheet: str | None = None) -> list[dict[str, str]]:
    """The rows of a sheet, by column."""
    orders = read_orders(path.read_bytes(), sheet, path.name)
    columns = orders.region.header.columns
    return [dict(zip(columns, texts, strict=True)) for _, texts in orders.rows()]


def changes(path: Path, numbers: Mapping[int, str | None], sheet: str | None = None) -> list[RowChange]:
    """The changes that give rows of the sheet, as it is now, their tracking numbers."""
    rows = rows_of(path, sheet)
    return [change(number, row_checksum(rows[number - 1]), tracking) for number, tracking in numbers.items()]


def every_number(path: Path) -> dict[int, str | None]:
    """A number for every row of the first sheet."""
    return {number: f"1Z{number}" for number in range(1, len(rows_of(path)) + 1)}


def target(folder: Path, *, timeout: float = 5.0) -> ExcelTarget:
    """A target whose root is `folder`."""
    return ExcelTarget([folder], SourceLocks(folder / "locks", timeout=timeout))


def write(path: Path, wanted: list[RowChange], sheet: str | None = None) -> list[RowWritten]:
    """Apply changes by a target of their own, as a process just started would."""
    return target(path.parent).apply(ExcelSource(path=path.name, sheet=sheet), wanted)
