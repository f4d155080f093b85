"""The folder for a source's rows: nobody else's to read, and not left behind, however its process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from shared.errors import TallyError
from shared.sources.csv import open_csv
from shared.sources.rows_folder import RowsFolder, remove_leftovers
from shared.sources.spool import line_of, spool

TAKES_IN = """
import signal, sys
from pathlib import Path
from shared.sources.csv import open_csv
kept = open_csv(Path(sys.argv[1]))
print("taken in", flush=True)
signal.pause()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text("order,name\n1,Ada\n")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_its_users_only_and_goes_with_the_snapshot(temporary: Path, orders: Path) -> None:
    with open_csv(orders):
        [folder] = temporary.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        assert [path.name for path in folder.iterdir()] == ["orders.csv"]
    assert names(temporary) == []


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_has_is_not(temporary: Path, orders: Path) -> None:
    command = [sys.executable, "-c", TAKES_IN, str(orders)]
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"taken in\n"
            [left] = names(temporary)
            with open_csv(orders):
                assert left in names(temporary)
            remove_leftovers()
            assert names(temporary) == [left]
        finally:
            process.send_signal(signal.SIGKILL)
    assert names(temporary) == [left]
    with open_csv(orders):
        assert left not in names(temporary)
    assert names(temporary) == []


def test_nothing_else_is_removed(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (temporary / "tally-rows-link").symlink_to(tmp_path / "elsewhere")
    (temporary / "tally-rows-file").touch()
    (temporary / "tally-demo-folder").mkdir()
    before = names(temporary)
    remove_leftovers()
    assert names(temporary) == before
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_rows_that_cannot_be_kept_are_told_apart_from_a_source_that_cannot_be_read(
    temporary: Path, orders: Path
) -> None:
    temporary.rmdir()
    with pytest.raises(TallyError) as caught:
        open_csv(orders)
    assert caught.value.body.code == "E-1016"
    assert str(orders) in caught.value.body.message


def test_a_full_disk_is_told_and_leaves_nothing(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sources.spool._file_in", lambda _folder: Path("/dev/full"))
    with pytest.raises(TallyError) as caught:
        spool("orders.csv", [line_of(["x" * 80])] * 1000)
    assert (caught.value.body.code, "No space left" in caught.value.body.message) == ("E-1016", True)
    assert names(temporary) == []


def test_what_goes_wrong_with_the_source_stays_what_it_is(temporary: Path) -> None:
    def lines():
        yield line_of(["1"])
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        spool("orders.csv", lines())
    assert names(temporary) == []


def test_a_folder_that_is_let_go_of_is_removed(temporary: Path) -> None:
    RowsFolder("orders.csv")
    assert names(temporary) == []
