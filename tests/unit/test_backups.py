"""A copy of the file as it was before a job's first write: one for each job, whole or not there, the last few kept."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from services.writeback.targets.backups import FOLDER, Backups
from tests.unit.csv_changes import codes
from tests.unit.source_files import KINDS, NIGHT, Kind, backup, backups_of, clock_at
from tests.unit.test_csv_target_replace import leftovers
from tests.unit.tmpfs import small_disk

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from tests.unit.csv_changes import codes
from tests.unit.source_files import KINDS
path, jobs = Path(sys.argv[1]), sys.argv[2:]
kind = next(kind for kind in KINDS if kind.suffix == path.suffix)
for number, job in enumerate(jobs, start=1):
    assert codes(kind.write(path, {number: f"1Z{number}"}, job)) == [None]
"""


@pytest.fixture(params=KINDS, ids=lambda kind: kind.suffix)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def path(kind: Kind, tmp_path: Path) -> Path:
    return kind.make(tmp_path)


def writer(path: Path, *jobs: str, failpoints: str = "") -> subprocess.Popen[bytes]:
    """A process that writes a row for each of the jobs in turn."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TALLY_FAILPOINTS": failpoints}
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), *jobs], env=environment)


def test_the_file_is_copied_before_the_first_write_of_a_job_and_not_again(kind: Kind, path: Path) -> None:
    before = path.read_bytes()
    assert codes(kind.write(path, {1: "1Z1"})) == [None]
    assert codes(kind.write(path, {2: "1Z2"})) == [None]
    assert backups_of(path) == [f"orders.2026-11-21T034500Z{path.suffix}"]
    assert backup(path, backups_of(path)[0]) == before
    assert kind.numbers(path) == ["1Z1", "1Z2", ""]


def test_every_job_has_a_copy_of_its_own(kind: Kind, path: Path) -> None:
    assert codes(kind.write(path, {1: "1Z1"}, "one")) == [None]
    between = path.read_bytes()
    assert codes(kind.write(path, {2: "1Z2"}, "two")) == [None]
    assert codes(kind.write(path, {3: "1Z3"}, "one")) == [None]
    names = backups_of(path)
    assert set(names) == {f"orders.2026-11-21T034500Z{path.suffix}", f"orders.2026-11-21T034500Z-2{path.suffix}"}
    assert between in [backup(path, name) for name in names]


def test_jobs_that_first_write_at_once_share_a_copy(kind: Kind, path: Path) -> None:
    wanted = kind.wanted(path, {1: "1Z1"}, "one") + kind.wanted(path, {2: "1Z2"}, "two")
    target = kind.target(path.parent)
    assert codes(target.apply(kind.source(path), wanted)) == [None, None]
    assert len(backups_of(path)) == 1
    found = Backups(5, lambda: NIGHT)
    one, two = found.of_job(path, "one"), found.of_job(path, "two")
    assert one is not None
    assert two is not None
    assert one[1] == two[1]


def test_what_changes_nothing_makes_no_copy(kind: Kind, path: Path) -> None:
    assert codes(kind.write(path, {1: None})) == [None]
    wrong = type(kind.wanted(path, {1: "1Z1"})[0])(**{**vars(kind.wanted(path, {1: "1Z1"})[0]), "checksum": "0" * 64})
    assert codes(kind.target(path.parent).apply(kind.source(path), [wrong])) == ["E-4010"]
    assert not (path.parent / FOLDER).exists()


def test_the_last_few_copies_are_kept(kind: Kind, path: Path) -> None:
    for day in range(5):
        target = kind.target(path.parent, keep=3, clock=clock_at(NIGHT + timedelta(days=day)))
        assert codes(target.apply(kind.source(path), kind.wanted(path, {1 + day % 3: None, 2: "1Z2"}, f"{day}")))
        kind.fill(path, [[f"Name {number}", f"{day:05}"] for number in range(3)])
    assert backups_of(path) == [f"orders.2026-11-{day}T034500Z{path.suffix}" for day in (23, 24, 25)]


def test_a_copy_that_had_to_go_is_not_made_again_half_way_through_its_job(kind: Kind, path: Path) -> None:
    assert codes(kind.write(path, {1: "1Z1"}, "old")) == [None]
    (path.parent / FOLDER / backups_of(path)[0]).unlink()
    assert codes(kind.write(path, {2: "1Z2"}, "old")) == [None]
    assert backups_of(path) == []
    assert Backups(5, lambda: NIGHT).of_job(path, "old") is None


def test_other_files_in_the_folder_are_left_alone(kind: Kind, path: Path) -> None:
    folder = path.parent / FOLDER
    folder.mkdir()
    own = [folder / f"orders.mine{path.suffix}", folder / f"other.2026-01-01T000000Z{path.suffix}"]
    for each in own:
        each.write_text("mine")
    for day in range(3):
        target = kind.target(path.parent, keep=1, clock=clock_at(NIGHT + timedelta(days=day)))
        assert codes(target.apply(kind.source(path), kind.wanted(path, {1 + day: f"1Z{day}"}, f"{day}"))) == [None]
    assert [each.read_text() for each in own] == ["mine", "mine"]
    assert f"orders.2026-11-23T034500Z{path.suffix}" in backups_of(path)
    assert len(backups_of(path)) == 2


def test_no_copy_is_made_where_none_is_to_be_kept(kind: Kind, path: Path) -> None:
    target = kind.target(path.parent, keep=0)
    assert codes(target.apply(kind.source(path), kind.wanted(path, {1: "1Z1"}))) == [None]
    assert not (path.parent / FOLDER).exists()


def test_a_copy_is_as_private_as_the_file(kind: Kind, path: Path) -> None:
    path.chmod(0o640)
    path.parent.chmod(0o750)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    with suppress(OSError):  # not every file system has them
        os.setxattr(path, "user.origin", b"shop")
    assert codes(kind.write(path, {1: "1Z1"})) == [None]
    copy = path.parent / FOLDER / backups_of(path)[0]
    for made, origin in ((copy, path), (copy.parent, path.parent)):
        assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(origin.stat().st_mode)
        assert (made.stat().st_uid, made.stat().st_gid) == (origin.stat().st_uid, origin.stat().st_gid)
    assert os.listxattr(copy) == os.listxattr(path)
    record = next(copy.parent.glob("*.json"))
    assert stat.S_IMODE(record.stat().st_mode) == 0o640


def test_a_damaged_record_is_begun_anew(kind: Kind, path: Path) -> None:
    assert codes(kind.write(path, {1: "1Z1"}, "one")) == [None]
    record = next((path.parent / FOLDER).glob("*.json"))
    record.write_text("{")
    assert codes(kind.write(path, {2: "1Z2"}, "two")) == [None]
    assert Backups(5, lambda: NIGHT).of_job(path, "two") is not None


@pytest.mark.parametrize("point", ["writeback.before_backup", "writeback.after_backup", "writeback.before_replace"])
def test_a_kill_around_the_copy_leaves_one_copy_and_the_file_as_it_was(tmp_path: Path, point: str) -> None:
    kind = KINDS[0]
    path = kind.make(tmp_path)
    before = path.read_bytes()
    assert writer(path, "job", failpoints=f"{point}=kill").wait(60) == -9
    assert path.read_bytes() == before
    assert writer(path, "job").wait(60) == 0
    assert [backup(path, name) for name in backups_of(path)] == [before]
    assert not leftovers(path.parent / FOLDER)
    assert kind.numbers(path)[0] == "1Z1"


def test_several_writers_at_once_make_one_copy_for_a_job(kind: Kind, path: Path) -> None:
    before = path.read_bytes()
    wanted = kind.wanted(path, {1: "1Z1", 2: "1Z2", 3: "1Z3"})
    targets = [kind.target(path.parent, timeout=30.0) for _ in wanted]
    with ThreadPoolExecutor(3) as pool:
        results = list(
            pool.map(lambda pair: pair[0].apply(kind.source(path), [pair[1]]), zip(targets, wanted, strict=True))
        )
    assert [codes(result) for result in results] == [[None]] * 3
    assert [backup(path, name) for name in backups_of(path)] == [before]
    assert kind.numbers(path) == ["1Z1", "1Z2", "1Z3"]


def test_without_its_copy_a_file_is_not_written_to(kind: Kind, path: Path) -> None:
    before = path.read_bytes()
    (path.parent / FOLDER).write_text("in the way")
    (result,) = kind.write(path, {1: "1Z1"})
    assert result.error is not None
    assert result.error.code == "E-4023"
    assert result.error.message.endswith("no backup of it could be made in .tally-backups: Not a directory.")
    assert path.read_bytes() == before
    (path.parent / FOLDER).unlink()
    assert codes(kind.write(path, {1: "1Z1"})) == [None]


def test_copies_do_not_go_through_a_link_to_elsewhere(kind: Kind, path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (path.parent / FOLDER).symlink_to(elsewhere)
    assert codes(kind.write(path, {1: "1Z1"})) == ["E-4023"]
    assert list(elsewhere.iterdir()) == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size="256k") as disk:
        yield disk


def test_a_disk_that_is_too_full_for_the_copy_stops_the_write_until_there_is_room(kind: Kind, full_disk: Path) -> None:
    path = kind.make(full_disk, rows=20)
    before = path.read_bytes()
    filler = full_disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    target, wanted = kind.target(full_disk), kind.wanted(path, {1: "1Z1", 2: "1Z2"})
    (full_disk / "locks").mkdir(exist_ok=True)
    results = target.apply(kind.source(path), wanted)
    assert codes(results) == ["E-4023", "E-4023"]
    assert results[0].error is not None
    assert "No space left on device" in results[0].error.message
    assert path.read_bytes() == before
    assert backups_of(path) == []
    assert not leftovers(full_disk)
    assert not (full_disk / FOLDER).exists() or not leftovers(full_disk / FOLDER)
    filler.unlink()
    assert codes(target.apply(kind.source(path), wanted)) == [None, None]
    assert [backup(path, name) for name in backups_of(path)] == [before]
