"""A file put back as it was before a job: what that replaces is told, and nothing else is lost unawares."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from services.writeback.restoring import Restorer
from services.writeback.targets.backups import FOLDER, Backups
from services.writeback.targets.comparison import Contents, compare
from services.writeback.targets.lock import SourceLocks
from shared.contracts.restoring import Restoration, RestoreSource
from shared.contracts.source import CsvSource, DatabaseSource, ParquetSource, Source
from shared.errors import NO_BACKUP, RESTORE_REFUSED, TallyError
from tests.unit.source_files import KINDS, NIGHT, Kind, backup, backups_of, clock_at
from tests.unit.test_csv_target_replace import leftovers

MORNING = NIGHT + timedelta(hours=5)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.suffix)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def path(kind: Kind, tmp_path: Path) -> Path:
    return kind.make(tmp_path)


def restore(
    kind: Kind,
    path: Path,
    digest: str | None = None,
    *,
    job_id: str = "job",
    force: bool = False,
    written: int = 3,
    source: Source | None = None,
) -> Restoration:
    """Restore as a writeback just started does."""
    folder = path.parent
    backups = Backups(5, lambda: MORNING)
    restorer = Restorer(
        [folder], SourceLocks(folder / "locks", timeout=0.05), backups, {kind_of(kind): kind.target(folder)}
    )
    order = RestoreSource(
        job_id=job_id, source=source or kind.source(path), written=written, digest=digest, force=force
    )
    return restorer.restore(order)


def kind_of(kind: Kind) -> str:
    return "csv" if kind.suffix == ".csv" else "excel"


def test_a_file_is_put_back_byte_for_byte_and_a_copy_is_kept_of_what_it_replaced(kind: Kind, path: Path) -> None:
    path.chmod(0o640)
    before = path.read_bytes()
    kind.write(path, {1: "1Z1", 3: "1Z3"})
    after = path.read_bytes()
    told = restore(kind, path)
    assert (told.numbers, told.losses(), told.restored) == (2, [], False)
    assert Path(told.backup).read_bytes() == before
    assert path.read_bytes() == after
    done = restore(kind, path, told.digest)
    assert done.restored
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert done.kept_as == str(path.parent / FOLDER / f"orders.2026-11-21T084500Z{path.suffix}")
    assert Path(done.kept_as).read_bytes() == after
    assert not leftovers(path.parent)


def test_to_restore_twice_changes_nothing(kind: Kind, path: Path) -> None:
    kind.write(path, {1: "1Z1"})
    restore(kind, path, restore(kind, path).digest)
    state = path.stat()
    told = restore(kind, path)
    assert (told.numbers, told.losses()) == (0, [])
    done = restore(kind, path, told.digest)
    assert (done.restored, done.kept_as) == (True, None)
    assert path.stat() == state
    assert len(backups_of(path)) == 2


def test_a_file_that_was_saved_after_it_was_looked_at_is_not_replaced(kind: Kind, path: Path) -> None:
    kind.write(path, {1: "1Z1"})
    told = restore(kind, path)
    kind.write(path, {2: "1Z2"})
    after = path.read_bytes()
    with pytest.raises(TallyError, match="it was saved since it was looked at") as raised:
        restore(kind, path, told.digest, force=True)
    assert raised.value.kind is RESTORE_REFUSED
    assert path.read_bytes() == after


def test_what_a_person_changed_is_told_and_lost_only_if_they_insist(kind: Kind, path: Path) -> None:
    before = path.read_bytes()
    kind.write(path, {1: "1Z1"})
    kind.fill(path, [["Name 1", "00001"], ["Name 2", "99999"], ["Name 3", "00003"], ["New", "00004"]])
    mine = path.read_bytes()
    told = restore(kind, path)
    assert told.losses()[:2] == ["rows 2, 4 changed or added", "1 row deleted or changed"]
    with pytest.raises(TallyError, match="rows 2, 4 changed or added") as raised:
        restore(kind, path, told.digest)
    assert raised.value.kind is RESTORE_REFUSED
    assert path.read_bytes() == mine
    done = restore(kind, path, told.digest, force=True)
    assert path.read_bytes() == before
    assert Path(done.kept_as or "").read_bytes() == mine


def test_rows_that_were_only_sorted_are_told(kind: Kind, path: Path) -> None:
    kind.write(path, {1: "1Z1"})
    kind.fill(path, [["Name 3", "00003"], ["Name 1", "00001"], ["Name 2", "00002"]])
    assert "rows moved" in restore(kind, path).losses()


def test_another_sheet_that_was_changed_is_told(tmp_path: Path) -> None:
    import openpyxl

    kind = KINDS[1]
    path = kind.make(tmp_path)
    kind.write(path, {1: "1Z1"})
    book = openpyxl.load_workbook(path)
    book.create_sheet("Notes")["A1"] = "call Ann"
    book.save(path)
    (told,) = restore(kind, path).losses()
    assert "xl/worksheets/sheet2.xml" in told


def test_what_another_job_wrote_is_told(kind: Kind, path: Path) -> None:
    kind.write(path, {1: "1Z1"}, "job")
    kind.write(path, {2: "1Z2"}, "other")
    told = restore(kind, path, written=1)
    assert told.losses() == ["1 number of others", "what job other wrote since"]
    assert restore(kind, path, job_id="other", written=1).losses() == []
    kind.write(path, {3: "1Z3"}, "job")
    assert restore(kind, path, job_id="other", written=1).losses() == ["1 number of others"]


def test_a_file_that_is_gone_is_put_back(kind: Kind, path: Path) -> None:
    before, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    kind.write(path, {1: "1Z1"})
    path.unlink()
    told = restore(kind, path)
    assert (told.digest, told.losses()) == ("", [])
    assert restore(kind, path, "").restored
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_file_that_cannot_be_read_any_more_is_put_back_if_a_person_insists(kind: Kind, path: Path) -> None:
    before = path.read_bytes()
    kind.write(path, {1: "1Z1"})
    path.write_bytes(b"\x00\x01damaged\xff")
    told = restore(kind, path)
    assert told.losses()
    with pytest.raises(TallyError):
        restore(kind, path, told.digest)
    assert restore(kind, path, told.digest, force=True).restored
    assert path.read_bytes() == before


def test_without_a_copy_nothing_is_restored(kind: Kind, path: Path) -> None:
    with pytest.raises(TallyError, match="no copy of") as raised:
        restore(kind, path)
    assert raised.value.kind is NO_BACKUP


@pytest.mark.parametrize(
    "source",
    [
        DatabaseSource(connection="shop", table="orders"),
        ParquetSource(path="/srv/orders.parquet"),
    ],
)
def test_what_is_never_copied_is_not_restored(source: Source, path: Path, kind: Kind) -> None:
    with pytest.raises(TallyError) as raised:
        restore(kind, path, source=source)
    assert raised.value.kind is NO_BACKUP


def test_only_a_file_inside_the_roots_is_restored(tmp_path: Path) -> None:
    kind = KINDS[0]
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    path, other = kind.make(inside), kind.make(outside)
    kind.write(path, {1: "1Z1"})
    for place in (str(other), f"{inside}/../out/orders.csv"):
        with pytest.raises(TallyError) as raised:
            restore(kind, path, source=CsvSource(path=place))
        assert raised.value.body.code == "E-1006"
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(TallyError, match="a folder or a link by now"):
        restore(kind, path)


def test_a_restore_keeps_the_copy_it_puts_back(kind: Kind, path: Path) -> None:
    kind.write(path, {1: "1Z1"})
    for hour in range(5):
        target = kind.target(path.parent, clock=clock_at(NIGHT + timedelta(hours=1 + hour)))
        if hour:
            target.apply(kind.source(path), kind.wanted(path, {2: f"{hour}"}, f"{hour}"))
            kind.fill(path, [[f"Name {number}", f"{number:05}"] for number in range(1, 4)])
    assert len(backups_of(path)) == 5
    told = restore(kind, path)
    done = restore(kind, path, told.digest, force=True)
    assert Path(done.backup).exists()
    assert backup(path, Path(done.backup).name) == path.read_bytes()


def test_a_restore_waits_for_no_writer_without_end(kind: Kind, path: Path) -> None:
    kind.write(path, {1: "1Z1"})
    with SourceLocks(path.parent / "locks").hold_file(path), pytest.raises(TallyError) as raised:
        restore(kind, path)
    assert raised.value.body.code == "E-4011"


def test_a_file_differs_from_its_copy_by_rows_and_numbers() -> None:
    copy = Contents([("a", ""), ("b", "1Z0"), ("c", "")], {"styles": 1})
    file = Contents([("a", "1Z1"), ("x", "1Z1"), ("c", "1Z0"), (None, "")], {"styles": 2})
    found = compare(file, copy)
    assert (found.numbers, found.changed, found.missing, found.moved, found.parts) == (1, (2, 4), 1, False, ("styles",))
