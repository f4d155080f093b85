"""Files of orders of both kinds that are written to, behind one face: what holds of one is to hold of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.writeback.targets.backups import FOLDER, Backups
from services.writeback.targets.csv import CsvTarget
from services.writeback.targets.excel import ExcelTarget
from services.writeback.targets.lock import SourceLocks
from shared.clock import Clock
from shared.contracts.source import CsvSource, ExcelSource
from shared.contracts.writeback import RowWritten
from shared.sources import open_source
from shared.sources.changes import RowChange
from tests.unit import csv_changes, excel_changes
from tests.unit.excel_files import by_openpyxl

COLUMNS = ("name", "zip")
NIGHT = datetime(2026, 11, 21, 3, 45, tzinfo=UTC)


def clock_at(moment: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: moment


@dataclass(frozen=True)
class Kind:
    """A kind of file, by its suffix."""

    suffix: str
    _content: Callable[[list[list[str]]], bytes]

    def make(self, folder: Path, rows: int = 3, name: str = "orders") -> Path:
        """A file of orders."""
        path = folder / f"{name}{self.suffix}"
        self.fill(path, [[f"Name {number}", f"{number:05}"] for number in range(1, rows + 1)])
        return path

    def fill(self, path: Path, rows: list[list[str]], columns: tuple[str, ...] = COLUMNS) -> None:
        """Save `rows` over the file, as a person's program does."""
        path.write_bytes(self._content([list(columns), *rows]))

    def source(self, path: Path) -> CsvSource | ExcelSource:
        """The file as a source."""
        return CsvSource(path=str(path)) if self.suffix == ".csv" else ExcelSource(path=str(path))

    def target(
        self, folder: Path, keep: int | None = 5, clock: Clock = lambda: NIGHT, timeout: float = 5.0
    ) -> CsvTarget | ExcelTarget:
        """A target whose root is `folder`, as a process just started has it; without backups where `keep` is None."""
        locks = SourceLocks(folder / "locks", timeout=timeout)
        target = CsvTarget if self.suffix == ".csv" else ExcelTarget
        return target([folder], locks, None if keep is None else Backups(keep, clock))

    def wanted(self, path: Path, numbers: Mapping[int, str | None], job_id: str = "job") -> list[RowChange]:
        """The changes of a job that give rows of the file, as it is now, their numbers."""
        changes = csv_changes.changes if self.suffix == ".csv" else excel_changes.changes
        return [RowChange(**{**vars(each), "job_id": job_id}) for each in changes(path, dict(numbers))]

    def write(self, path: Path, numbers: Mapping[int, str | None], job_id: str = "job") -> list[RowWritten]:
        """Write numbers into rows of the file, by a target of their own."""
        return self.target(path.parent).apply(self.source(path), self.wanted(path, numbers, job_id))

    def numbers(self, path: Path) -> list[str]:
        """The numbers that stand in the file."""
        with open_source(self.source(path), [path.parent]) as snapshot:
            return [row.values.get("tracking_number", "") for row in snapshot.rows()]


KINDS = (
    Kind(".csv", lambda rows: "".join(",".join(row) + "\r\n" for row in rows).encode()),
    Kind(".xlsx", by_openpyxl),
)


def backups_of(path: Path) -> list[str]:
    """The names of a file's backups, oldest first."""
    folder = path.parent / FOLDER
    return sorted(each.name for each in folder.glob(f"{path.stem}.*{path.suffix}")) if folder.exists() else []


def backup(path: Path, name: str) -> bytes:
    """What is in a backup."""
    return (path.parent / FOLDER / name).read_bytes()
