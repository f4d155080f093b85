"""Changes to CSV files, as writeback gets them for rows that were read at intake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from services.writeback.targets.csv import CsvTarget
from services.writeback.targets.lock import SourceLocks
from shared.contracts.commands import WrittenValues
from shared.contracts.source import CsvSource
from shared.contracts.writeback import RowWritten
from shared.sources.changes import RowChange
from shared.sources.csv import open_csv

SHIPPED_AT = datetime(2026, 11, 21, 10, 15, 30, 999_999, tzinfo=UTC)
SHIPPED = "2026-11-21T10:15:30Z"


def change(
    number: int,
    checksum: str,
    tracking_number: str | None,
    *,
    job_id: str = "job",
    version: int = 1,
    replaces: tuple[str, ...] = (),
) -> RowChange:
    shipped_at = None if tracking_number is None else SHIPPED_AT
    values = WrittenValues(tracking_number=tracking_number, shipped_at=shipped_at)
    return RowChange(job_id, number, number, str(number), checksum, version, values, replaces)


def intake(path: Path) -> dict[int, str]:
    """The checksum of every row of a file, by its number."""
    with open_csv(path.resolve()) as snapshot:
        return {row.number: row.checksum for row in snapshot.rows()}


def changes(path: Path, numbers: Mapping[int, str | None], replaces: tuple[str, ...] = ()) -> list[RowChange]:
    """The changes that give rows of the file, as it is now, their tracking numbers."""
    checksums = intake(path)
    return [change(number, checksums[number], text, replaces=replaces) for number, text in numbers.items()]


def target(folder: Path, *, timeout: float = 5.0) -> CsvTarget:
    """A target whose root is `folder`."""
    return CsvTarget([folder], SourceLocks(folder / "locks", timeout=timeout))


def write(path: Path, wanted: list[RowChange]) -> list[RowWritten]:
    """Apply changes by a target of their own, as a process just started would."""
    return target(path.parent).apply(CsvSource(path=path.name), wanted)


def codes(results: list[RowWritten]) -> list[str | None]:
    """The E-code of each failure; None for what was written."""
    return [None if result.error is None else result.error.code for result in results]
