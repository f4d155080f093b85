"""The file at every instant: what kills, failures and other writers leave of it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.writeback.targets.atomic_file import FileChangedError, read_file, replace_file
from services.writeback.targets.lock import SourceLocks
from shared.contracts.source import CsvSource, source_hash
from shared.sources.csv import open_csv
from tests.unit.csv_changes import changes, codes, target, write

ROOT = Path(__file__).parents[2]
ROWS = 200
WRITER = """
import sys
from pathlib import Path
from tests.unit.csv_changes import changes, target
from shared.contracts.source import CsvSource
path, first, step = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
wanted = changes(path, {number: f"1Z{number}" for number in range(first, int(sys.argv[4]) + 1, step)})
csv = target(path.parent, timeout=30.0)
print("ready", flush=True)
sys.stdin.readline()
size = max(1, len(wanted) // 20)
for start in range(0, len(wanted), size):
    results = csv.apply(CsvSource(path=path.name), wanted[start:start + size])
    assert all(result.status == "written" for result in results), results
"""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("name,zip\n" + "".join(f"Name {number},{number:05}\n" for number in range(1, ROWS + 1)))
    return path


def writer(path: Path, first: int = 1, step: int = 1, failpoints: str = "") -> subprocess.Popen[str]:
    """A process that writes every `step`-th row in small flushes, once it is told to go."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TALLY_FAILPOINTS": failpoints}
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(first), str(step), str(ROWS)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def tracking_numbers(path: Path) -> list[str]:
    with open_csv(path) as snapshot:
        return [row.values.get("tracking_number", "") for row in snapshot.rows()]


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix == ".tally-tmp"]


@contextmanager
def unprivileged() -> Iterator[None]:
    """As a user whom permissions bind; root is bound by none."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def folder_of_anyone() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="tally-test-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield folder


def test_two_processes_on_one_file_lose_no_update(orders: Path) -> None:
    processes = [writer(orders, first, 2) for first in (1, 2)]
    for process in processes:
        go(process)
    assert [process.wait(60) for process in processes] == [0, 0]
    assert tracking_numbers(orders) == [f"1Z{number}" for number in range(1, ROWS + 1)]
    assert not leftovers(orders.parent)


def test_threads_of_one_target_lose_no_update(orders: Path) -> None:
    wanted = changes(orders, {number: f"1Z{number}" for number in range(1, ROWS + 1)})
    csv = target(orders.parent)
    with ThreadPoolExecutor(4) as pool:
        batches = [wanted[start::10] for start in range(10)]
        results = list(pool.map(lambda batch: csv.apply(CsvSource(path="orders.csv"), batch), batches))
    assert all(code is None for batch in results for code in codes(batch))
    assert tracking_numbers(orders) == [f"1Z{number}" for number in range(1, ROWS + 1)]


@pytest.mark.parametrize("nth", [1, 2, 7])
def test_a_kill_before_the_replace_leaves_the_old_file_whole(orders: Path, nth: int) -> None:
    process = writer(orders, failpoints=f"writeback.before_replace=kill@{nth}")
    go(process)
    assert process.wait(30) == -9
    expected = [f"1Z{number}" if number <= 10 * (nth - 1) else "" for number in range(1, ROWS + 1)]
    assert tracking_numbers(orders) == expected
    assert len(leftovers(orders.parent)) == 1
    wanted = changes(orders, {number: f"1Z{number}" for number in range(1, ROWS + 1)})
    assert set(codes(write(orders, wanted))) == {None}
    assert tracking_numbers(orders) == [f"1Z{number}" for number in range(1, ROWS + 1)]
    assert not leftovers(orders.parent)


@pytest.mark.parametrize("nth", [1, 7])
def test_a_kill_after_the_replace_leaves_the_new_file_whole(orders: Path, nth: int) -> None:
    process = writer(orders, failpoints=f"writeback.after_replace=kill@{nth}")
    go(process)
    assert process.wait(30) == -9
    expected = [f"1Z{number}" if number <= 10 * nth else "" for number in range(1, ROWS + 1)]
    assert tracking_numbers(orders) == expected
    assert not leftovers(orders.parent)


def test_death_releases_the_lock(orders: Path) -> None:
    process = writer(orders, failpoints="writeback.before_replace=stop@1")
    go(process)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    wanted = changes(orders, {1: "1Z1"})
    with pytest.raises(TimeoutError, match=r"another process has been writing it for 0\.05 s"):
        target(orders.parent, timeout=0.05).apply(CsvSource(path="orders.csv"), wanted)
    process.kill()
    process.wait(10)
    assert codes(write(orders, wanted)) == [None]


def test_a_living_writers_temporary_file_is_left_alone(orders: Path) -> None:
    process = writer(orders, failpoints="writeback.before_replace=stop@1")
    go(process)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    other = orders.with_name("other.csv")
    other.write_text("name,zip\nAda,01002\n")
    assert codes(write(other, changes(other, {1: "1Z1"}))) == [None]
    assert len(leftovers(orders.parent)) == 1
    process.kill()
    process.wait(10)
    assert codes(write(other, changes(other, {1: None}, ("1Z1",)))) == [None]
    assert not leftovers(orders.parent)


def test_a_lock_waits_for_its_holder(tmp_path: Path) -> None:
    locks = SourceLocks(tmp_path / "locks", timeout=10.0)
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with locks.hold("a"):
            order.append("second")

    with locks.hold("a"), locks.hold("b"):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_failing_holder_lets_go(tmp_path: Path) -> None:
    locks = SourceLocks(tmp_path / "locks", timeout=0.05)
    with pytest.raises(ZeroDivisionError), locks.hold("a"):
        raise ZeroDivisionError
    with locks.hold("a"), pytest.raises(TimeoutError), locks.hold("a"):
        pass


def test_a_file_saved_by_a_person_meanwhile_is_not_replaced(orders: Path) -> None:
    content, version = read_file(orders)
    orders.write_bytes(content)  # the same bytes, in place: only the times tell
    os.utime(orders, ns=(version.modified_ns, version.modified_ns + 1))
    with pytest.raises(FileChangedError):
        replace_file(orders, b"new", version)
    assert orders.read_bytes() == content
    assert list(orders.parent.iterdir()) == [orders]


def test_a_file_replaced_by_a_person_meanwhile_is_not_replaced(orders: Path) -> None:
    content, version = read_file(orders)
    saved = orders.with_name("saved.csv")
    saved.write_bytes(content)
    os.utime(saved, ns=(version.modified_ns, version.modified_ns))
    saved.replace(orders)
    with pytest.raises(FileChangedError):
        replace_file(orders, b"new", version)
    assert orders.read_bytes() == content


def test_a_file_whose_times_keep_changing_is_tried_a_bounded_number_of_times_and_not_harmed(orders: Path) -> None:
    wanted = changes(orders, {1: "1Z1"})
    started, enough = threading.Event(), threading.Event()

    def touch() -> None:
        moment = 0
        while not enough.is_set():
            moment += 1_000
            os.utime(orders, ns=(moment, moment))
            started.set()

    thread = threading.Thread(target=touch)
    thread.start()
    try:
        assert started.wait(5)
        (code,) = codes(write(orders, wanted))
    finally:
        enough.set()
        thread.join(10)
    assert code in {None, "E-4011"}  # between two touches there may be time enough
    assert tracking_numbers(orders)[0] == ("" if code else "1Z1")
    assert not leftovers(orders.parent)


def test_a_full_disk_truncates_nothing_and_leaves_nothing_behind(orders: Path) -> None:
    before = orders.read_bytes()
    wanted = changes(orders, {1: "1Z1", 2: "1Z2"})
    wrong = changes(orders, {3: "1Z3"})[0]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        results = write(orders, [*wanted, type(wrong)(**{**vars(wrong), "checksum": "0" * 64})])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert codes(results) == ["E-4011", "E-4011", "E-4010"]
    assert results[0].error is not None
    assert "File too large" in results[0].error.message
    assert orders.read_bytes() == before
    assert not leftovers(orders.parent)
    assert codes(write(orders, wanted)) == [None, None]


def test_a_read_only_folder_is_reported_and_what_is_there_already_counts_as_written() -> None:
    with folder_of_anyone() as folder, unprivileged():
        path = folder / "orders.csv"
        path.write_text("name,tracking_number,shipped_at\nAda,1Z1,2026-11-21T10:15:30Z\nBen,,\n")
        csv = target(folder)
        wanted = changes(path, {1: "1Z1", 2: "1Z2"})
        with csv._locks.hold(source_hash(CsvSource(path=str(path)))):
            pass  # the lock's folder is there before the folder becomes read-only
        folder.chmod(0o555)
        try:
            results = csv.apply(CsvSource(path="orders.csv"), wanted)
        finally:
            folder.chmod(0o755)
        assert codes(results) == [None, "E-4011"]
        assert results[1].error is not None
        assert "Permission denied" in results[1].error.message


def test_a_read_only_file_is_respected() -> None:
    with folder_of_anyone() as folder, unprivileged():
        path = folder / "orders.csv"
        path.write_text("name,zip\nAda,01002\n")
        path.chmod(0o444)
        assert codes(write(path, changes(path, {1: "1Z1"}))) == ["E-4011"]
        assert path.read_text() == "name,zip\nAda,01002\n"
