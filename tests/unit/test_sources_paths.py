"""Paths that a request names: inside the source roots or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.errors import TallyError
from shared.sources.csv import open_csv
from shared.sources.excel_orders import read_workbook
from shared.sources.files import open_real
from shared.sources.parquet import open_parquet
from shared.sources.paths import resolve_within


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "orders.csv").write_text("a\n1\n")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    return root


def code(path: str, *roots: Path) -> str:
    with pytest.raises(TallyError) as caught:
        resolve_within(path, roots)
    return caught.value.body.code


def test_a_relative_path_is_found_in_the_first_root_that_has_it(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert resolve_within("orders.csv", [other, root]) == root / "orders.csv"
    (other / "orders.csv").write_text("a\n2\n")
    assert resolve_within("folder/../orders.csv", [other, root]) == other / "orders.csv"


def test_an_absolute_path_inside_a_root_is_itself(root: Path, tmp_path: Path) -> None:
    assert resolve_within(str(root / "orders.csv"), [tmp_path / "other", root]) == root / "orders.csv"


@pytest.mark.parametrize(
    "path", ["../secret.csv", "../nothing.csv", "folder/../../secret.csv", "/etc/passwd", "/nothing"]
)
def test_a_path_outside_every_root_is_refused_whether_it_exists_or_not(root: Path, path: str) -> None:
    assert code(path, root) == "E-1006"
    assert code(path) == "E-1006"


def test_a_symlink_is_followed_inside_a_root_and_refused_out_of_it(root: Path, tmp_path: Path) -> None:
    (root / "today.csv").symlink_to("orders.csv")
    (root / "escape.csv").symlink_to(tmp_path / "secret.csv")
    (root / "up").symlink_to(tmp_path)
    assert resolve_within("today.csv", [root]) == root / "orders.csv"
    assert code("escape.csv", root) == "E-1006"
    assert code("up/secret.csv", root) == "E-1006"
    assert code(str(root / "escape.csv"), root) == "E-1006"


def test_a_root_may_itself_be_a_symlink(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    assert resolve_within("orders.csv", [link]) == root / "orders.csv"
    assert resolve_within(str(link / "orders.csv"), [link]) == root / "orders.csv"


def test_a_missing_file_is_not_found(root: Path, tmp_path: Path) -> None:
    assert code("missing.csv", root) == "E-1001"
    assert code("orders.csv/x", root) == "E-1001"
    assert code(str(root / "missing.csv"), tmp_path / "other", root) == "E-1001"


def test_what_is_no_readable_file_is_unreadable(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    (root / "loop.csv").symlink_to("loop.csv")
    for path in ("folder", ".", "", "pipe.csv", "loop.csv", "x" * 300, "a\0b", "a\nb.csv"):
        assert code(path, root) == "E-1002"


def test_control_characters_of_a_name_do_not_reach_the_message(root: Path) -> None:
    with pytest.raises(TallyError) as caught:
        resolve_within("a\x1b[31m.csv", [root])
    assert "\x1b" not in str(caught.value)


def test_whatever_was_put_in_the_files_place_since_it_was_found_is_not_read(root: Path, tmp_path: Path) -> None:
    found = resolve_within("orders.csv", [root])
    (root / "orders.csv").unlink()
    (root / "orders.csv").symlink_to(tmp_path / "secret.csv")
    for read in (open_csv, open_parquet, open_real):
        with pytest.raises((TallyError, OSError), match=r"E-1002|symbolic link"):
            read(found)
    with pytest.raises(TallyError, match="E-1002"):
        read_workbook(found, "orders.xlsx")


def test_neither_is_what_lies_behind_a_folder_that_was_replaced_since(root: Path, tmp_path: Path) -> None:
    (root / "folder" / "secret.csv").write_text("a\n1\n")
    found = resolve_within("folder/secret.csv", [root])
    (root / "folder").rename(root / "former")
    (root / "folder").symlink_to(tmp_path)
    with pytest.raises(OSError, match=r"directory|symbolic link"):
        open_real(found)


def test_a_pipe_in_the_files_place_keeps_nobody_waiting(root: Path) -> None:
    found = resolve_within("orders.csv", [root])
    (root / "orders.csv").unlink()
    os.mkfifo(root / "orders.csv")
    with pytest.raises(OSError, match="not a regular file"):
        open_real(found)


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "/proc/self/cwd/secret.csv",
        "/dev/fd/0",
        "//etc/passwd",
        "./..//secret.csv",
        "folder/./../../secret.csv",
        "ORDERS.CSV/../../secret.csv",
        "~/secret.csv",
        "file:///etc/passwd",
    ],
)
def test_no_spelling_of_a_path_leads_out_of_the_roots(root: Path, path: str) -> None:
    assert code(path, root) in {"E-1006", "E-1001"}


def test_a_root_whose_name_begins_as_anothers_does_not_open_that(root: Path, tmp_path: Path) -> None:
    beside = tmp_path / "root-of-others"
    beside.mkdir()
    (beside / "orders.csv").write_text("a\n1\n")
    assert code(str(beside / "orders.csv"), root) == "E-1006"
    assert code("../root-of-others/orders.csv", root) == "E-1006"


def test_a_folder_on_the_way_need_not_be_readable(root: Path) -> None:
    (root / "folder" / "orders.csv").write_text("a\n1\n")
    found = resolve_within("folder/orders.csv", [root])
    (root / "folder").chmod(0o100)
    try:
        with open_real(found) as file:
            assert file.read() == b"a\n1\n"
    finally:
        (root / "folder").chmod(0o700)
