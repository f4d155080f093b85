"""Tracking numbers into workbooks of many writers: all else is as it was, and every reader finds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts.source import ExcelSource
from tests.unit.csv_changes import SHIPPED, codes
from tests.unit.excel_changes import changes, every_number, rows_of, target, write
from tests.unit.workbook_comparison import assert_only_tracking_changed, calamine_cells, openpyxl_cells
from tests.unit.workbook_corpus import CORPUS

MAKERS = pytest.mark.parametrize("make", CORPUS.values(), ids=CORPUS.keys())


def test_the_corpus_is_of_many_writers() -> None:
    assert len(CORPUS) >= 40
    writers = {name.split()[0] for name in CORPUS}
    assert {"libreoffice", "excelize", "exceljs", "sheetjs", "pyexcelerate", "pylightxl", "rust"} <= writers


@MAKERS
def test_a_workbook_keeps_all_but_its_tracking_cells(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / "orders.xlsx"
    before = make()
    path.write_bytes(before)
    wanted = changes(path, every_number(path))
    excel = target(tmp_path)
    source = ExcelSource(path="orders.xlsx")
    assert codes(excel.apply(source, wanted[:1])) == [None]
    first = path.read_bytes()
    assert_only_tracking_changed(before, first)
    assert codes(excel.apply(source, wanted[1:])) == [None] * (len(wanted) - 1)
    after, inode = path.read_bytes(), path.stat().st_ino
    assert_only_tracking_changed(before, after)
    assert codes(write(path, wanted)) == [None] * len(wanted)
    assert (path.read_bytes(), path.stat().st_ino) == (after, inode)
    values = [{name.lower(): value for name, value in row.items()} for row in rows_of(path)]
    assert [(row["tracking_number"], row["shipped_at"]) for row in values] == [
        (change.values.tracking_number, SHIPPED) for change in wanted
    ]
    numbers = {change.values.tracking_number for change in wanted}
    assert numbers <= set(openpyxl_cells(after).values()) or make is CORPUS["strict open xml"]
    assert numbers <= set(calamine_cells(after).values())


@MAKERS
def test_one_flush_and_a_new_process_for_each_row_come_to_the_same_rows(
    tmp_path: Path, make: Callable[[], bytes]
) -> None:
    once, often = tmp_path / "once.xlsx", tmp_path / "often.xlsx"
    once.write_bytes(make())
    often.write_bytes(once.read_bytes())
    wanted = changes(once, every_number(once))
    write(once, wanted)
    for change in wanted:
        write(often, [change])
    assert calamine_cells(once.read_bytes()) == calamine_cells(often.read_bytes())
