"""What keeps a file from being written to: told with its cause, the file as it was, and mended it is written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import openpyxl
import pytest

from services.writeback import flushing
from services.writeback.flushing import Flusher, Rest, Writer
from services.writeback.targets.backups import FOLDER
from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.target import Target
from shared.bus.publishing import Publisher
from shared.contracts.commands import WritebackCommand
from shared.contracts.source import ExcelSource, Source
from shared.contracts.writeback import RowWritten, SourceWritten
from shared.sources.changes import RowChange
from tests.unit.csv_changes import codes
from tests.unit.excel_files import active_sheet
from tests.unit.source_files import KINDS, Kind, backup, backups_of
from tests.unit.test_csv_target_replace import leftovers
from tests.unit.tmpfs import small_disk


@pytest.fixture(params=KINDS, ids=lambda kind: kind.suffix)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def path(kind: Kind, tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    folder.mkdir()
    return kind.make(folder)


@contextmanager
def immutable(place: Path) -> Iterator[None]:
    """`place` cannot be changed, by root neither."""
    made = subprocess.run(["chattr", "+i", str(place)], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"nothing can be made immutable here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(place)], check=True)


def taken_away(path: Path) -> Callable[[], object]:
    """Take the file away; calling what this returns puts it back."""
    aside = path.rename(path.with_name("aside"))
    return lambda: aside.rename(path)


@contextmanager
def gone(path: Path) -> Iterator[None]:
    put_back = taken_away(path)
    yield
    put_back()


@contextmanager
def a_folder_instead(path: Path) -> Iterator[None]:
    with gone(path):
        path.mkdir()
        yield
        path.rmdir()


@contextmanager
def a_read_only_folder(path: Path) -> Iterator[None]:
    with immutable(path.parent):
        yield


@contextmanager
def a_read_only_file(path: Path) -> Iterator[None]:
    with immutable(path):
        yield


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if path.suffix == ".xlsx" else b"\x00\x01\x02")
    yield
    path.write_bytes(content)


Hindrance = Callable[[Path], AbstractContextManager[None]]
HINDRANCES: list[tuple[Hindrance, str, str]] = [
    (gone, "E-4011", "There is no file"),
    (a_folder_instead, "E-4011", "it is a folder"),
    (a_read_only_folder, "E-4023", "Operation not permitted"),
    (a_read_only_file, "E-4011", "the file is read-only"),
    (damaged, "E-4011", "could not be written"),
]


@pytest.mark.parametrize(("hindrance", "code", "reason"), HINDRANCES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_failure_is_told_with_its_cause_and_mended_the_number_is_written(
    kind: Kind, path: Path, tmp_path: Path, hindrance: Hindrance, code: str, reason: str
) -> None:
    target, wanted = kind.target(tmp_path), kind.wanted(path, {1: "1Z1", 2: "1Z2"})
    before = path.read_bytes()
    with hindrance(path):
        results = target.apply(kind.source(path), wanted)
        assert codes(results) == [code, code]
        assert results[0].error is not None
        assert reason in results[0].error.message
        assert not leftovers(path.parent)
    assert path.read_bytes() == before
    assert codes(target.apply(kind.source(path), wanted)) == [None, None]
    assert kind.numbers(path) == ["1Z1", "1Z2", ""]


def test_a_folder_that_became_read_only_after_the_copy_leaves_the_file_whole(
    kind: Kind, path: Path, tmp_path: Path
) -> None:
    target, wanted = kind.target(tmp_path), kind.wanted(path, {1: "1Z1", 2: "1Z2"})
    assert codes(target.apply(kind.source(path), wanted[:1])) == [None]
    between = path.read_bytes()
    with a_read_only_folder(path):
        results = target.apply(kind.source(path), wanted)
        assert codes(results) == [None, "E-4011"]
        assert path.read_bytes() == between
    assert codes(target.apply(kind.source(path), wanted)) == [None, None]


def test_a_file_system_that_is_read_only_leaves_the_file_whole(kind: Kind, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        path = kind.make(disk)
        before, wanted = path.read_bytes(), kind.wanted(path, {1: "1Z1"})
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        (result,) = kind.target(tmp_path).apply(kind.source(path), wanted)
        assert result.error is not None
        assert (result.error.code, "Read-only file system" in result.error.message) == ("E-4023", True)
        assert path.read_bytes() == before
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert codes(kind.target(tmp_path).apply(kind.source(path), wanted)) == [None]


def test_a_full_disk_truncates_nothing_and_keeps_no_temporary_file(kind: Kind, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "256k") as disk:
        path = kind.make(disk, rows=20)
        target, wanted = kind.target(tmp_path), kind.wanted(path, {1: "1Z1", 2: "1Z2"})
        before = path.read_bytes()
        assert codes(target.apply(kind.source(path), wanted[:1])) == [None]
        between, filler = path.read_bytes(), disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        results = target.apply(kind.source(path), wanted)
        assert codes(results) == [None, "E-4011"]
        assert results[1].error is not None
        assert "No space left on device" in results[1].error.message
        assert path.read_bytes() == between
        assert not leftovers(disk)
        assert [backup(path, name) for name in backups_of(path)] == [before]
        filler.unlink()
        assert codes(target.apply(kind.source(path), wanted)) == [None, None]


def test_a_renamed_column_is_told_for_each_row_and_renamed_back_its_numbers_are_written(
    kind: Kind, path: Path, tmp_path: Path
) -> None:
    target, wanted = kind.target(tmp_path), kind.wanted(path, {1: "1Z1", 2: "1Z2"})
    before = path.read_bytes()
    kind.fill(path, [[f"Name {number}", f"{number:05}"] for number in range(1, 4)], ("name", "postcode"))
    renamed = path.read_bytes()
    results = target.apply(kind.source(path), wanted)
    assert codes(results) == ["E-4010", "E-4010"]
    assert results[1].error is not None
    assert "Row 2" in results[1].error.message
    assert "enter tracking number 1Z2 by hand" in (results[1].error.action or "")
    assert path.read_bytes() == renamed
    path.write_bytes(before)
    assert codes(target.apply(kind.source(path), wanted)) == [None, None]


def test_a_renamed_sheet_is_told_with_the_sheets_there_are(tmp_path: Path) -> None:
    kind = KINDS[1]
    path = kind.make(tmp_path)
    source = ExcelSource(path=str(path), sheet="Sheet")
    wanted = kind.wanted(path, {1: "1Z1"})
    book = openpyxl.load_workbook(path)
    active_sheet(book).title = "Old"
    book.save(path)
    (result,) = kind.target(tmp_path).apply(source, wanted)
    assert result.error is not None
    assert (result.error.code, "has no sheet or table Sheet" in result.error.message) == ("E-4011", True)


def test_a_file_that_another_process_keeps_locked_is_left_for_later(kind: Kind, path: Path, tmp_path: Path) -> None:
    wanted = kind.wanted(path, {1: "1Z1"})
    target = kind.target(tmp_path, timeout=0.05)
    with SourceLocks(tmp_path / "locks").hold_file(path), pytest.raises(TimeoutError):
        target.apply(kind.source(path), wanted)
    assert codes(target.apply(kind.source(path), wanted)) == [None]


class Mended:
    """A target whose file is mended once it was tried `tries` times."""

    def __init__(self, target: Target, mend: Callable[[], object], tries: int) -> None:
        self._target = target
        self._mend = mend
        self._tries = tries
        self.tried = 0

    def apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        reports = self._target.apply(source, changes)
        self.tried += 1
        if self.tried == self._tries:
            self._mend()
        return reports


class Outcomes:
    """What was published."""

    def __init__(self) -> None:
        self.rows: list[RowWritten] = []

    async def publish(self, _stream: str, _subject: str, message: SourceWritten, **_: Any) -> None:
        self.rows += message.rows


def command(kind: Kind, path: Path, change: RowChange) -> WritebackCommand:
    return WritebackCommand(
        job_id=change.job_id,
        row_number=change.row_number,
        source=kind.source(path),
        source_row=change.source_row,
        row_key=change.row_key,
        checksum=change.checksum,
        row_version=change.row_version,
        values=change.values,
    )


@pytest.mark.parametrize(("mended_after", "tries", "code"), [(2, 3, None), (3, 4, None), (4, 4, "E-4011")])
async def test_a_failure_is_tried_again_three_times_and_then_told(
    kind: Kind, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mended_after: int, tries: int, code: str
) -> None:
    assert flushing.RETRY_AFTER == (1.0, 2.0, 4.0)
    monkeypatch.setattr(flushing, "RETRY_AFTER", (0.0, 0.0, 0.0))
    (change,) = kind.wanted(path, {1: "1Z1"})
    target, outcomes = Mended(kind.target(tmp_path), taken_away(path), mended_after), Outcomes()
    name = "csv" if kind.suffix == ".csv" else "excel"
    flusher = Flusher({name: Writer(target, Rest(0, 0, 0))}, cast("Publisher", outcomes), max_batch=10)
    await flusher.write(command(kind, path, change))
    assert codes(outcomes.rows) == [code]
    assert target.tried == tries
    assert kind.numbers(path)[0] == ("" if code else "1Z1")


def test_nothing_but_the_copies_is_added_to_the_folder(kind: Kind, path: Path, tmp_path: Path) -> None:
    kind.target(tmp_path).apply(kind.source(path), kind.wanted(path, {1: "1Z1"}))
    assert sorted(each.name for each in path.parent.iterdir()) == [FOLDER, path.name]
