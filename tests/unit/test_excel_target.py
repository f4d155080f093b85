"""Tracking numbers into workbooks: what goes with the cells, the harms that are not done, and what is reported."""

from __future__ import annotations

import os
import re
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from shared.contracts.source import CsvSource, ExcelSource
from shared.contracts.writeback import RowWritten
from shared.sources.changes import RowChange
from tests.unit.csv_changes import SHIPPED, change, codes
from tests.unit.excel_changes import changes, rows_of, target, write
from tests.unit.excel_files import (
    ORDERS,
    SHEET,
    active_sheet,
    by_hand,
    by_openpyxl,
    by_xlsxwriter,
    parts_of,
    plain,
    rows_xml,
    saved,
    sheet_xml,
    with_parts,
)
from tests.unit.workbook_corpus import CORPUS


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(plain())
    return path


def sheet_after(path: Path, raw: bytes, numbers: dict[int, str | None]) -> str:
    """The sheet's XML of a workbook whose rows got numbers."""
    path.write_bytes(raw)
    wanted = changes(path, numbers)
    assert codes(write(path, wanted)) == [None] * len(wanted)
    return parts_of(path.read_bytes())[SHEET].decode()


def numbers_of(path: Path, sheet: str | None = None) -> dict[str, str]:
    """The tracking number of every order by its name."""
    return {row["name"]: row.get("tracking_number", "") for row in rows_of(path, sheet)}


def message(results: list[RowWritten]) -> str:
    (result,) = results
    assert result.error is not None
    return str(result.error)


def inline(text: str) -> str:
    return f't="inlineStr"><is><t>{text}</t></is></c>'


def test_cells_are_added_in_their_place_and_the_rest_is_byte_for_byte_the_same(orders: Path) -> None:
    before = parts_of(plain())[SHEET].decode()
    after = sheet_after(orders, plain(), {2: "1Z2"})
    expected = before.replace(
        "</row>", f'<c r="F1" {inline("tracking_number")}<c r="G1" {inline("shipped_at")}</row>', 1
    )
    place = expected.index("</row>", expected.index('<row r="3"'))
    added = f'<c r="F3" {inline("1Z2")}<c r="G3" {inline(SHIPPED)}'
    assert after == expected[:place] + added + expected[place:]


def test_the_dimension_and_the_rows_own_notes_of_columns_grow(orders: Path) -> None:
    rows = rows_xml(ORDERS).replace('<row r="2"', '<row r="2" spans="1:5"')
    after = sheet_after(orders, by_hand(("S", sheet_xml(rows, before='<dimension ref="A1:E4"/>'))), {1: "1Z1"})
    assert '<dimension ref="A1:G4"/>' in after
    assert '<row r="2" spans="1:7">' in after


def test_formulas_are_asked_to_be_computed_anew_when_somebody_opens_the_workbook(orders: Path) -> None:
    counting = rows_xml(ORDERS) + '<row r="9"><c r="H9"><f>COUNTA(F2:F4)</f><v>0</v></c></row>'
    once = sheet_after(orders, by_hand(("S", sheet_xml(counting, after="<sheetProtection/>"))), {1: "1Z1"})
    assert '</sheetData><sheetCalcPr fullCalcOnLoad="1"/><sheetProtection/>' in once
    assert codes(write(orders, changes(orders, {2: "1Z2"}))) == [None]
    assert parts_of(orders.read_bytes())[SHEET].count(b"fullCalcOnLoad") == 1
    other = sheet_after(
        orders, by_hand(("S", sheet_xml(counting, after='<sheetCalcPr fullCalcOnLoad="0"/>'))), {1: "1Z1"}
    )
    assert '</sheetData><sheetCalcPr fullCalcOnLoad="1"/></worksheet>' in other
    assert "sheetCalcPr" not in sheet_after(orders, plain(), {1: "1Z1"})


def test_new_cells_look_like_their_neighbours_and_old_ones_keep_their_look(orders: Path) -> None:
    raw = CORPUS["charts and formats of openpyxl"]()
    after = sheet_after(orders, raw, {1: "1Z1", 2: "1Z2"})
    style = re.search(r'<c r="E2" s="(\d+)"', after)
    assert style is not None
    assert f'<c r="F2" s="{style[1]}" t="inlineStr"' in after
    assert '<c r="F3" t="inlineStr"' in after
    styled = sheet_after(orders, CORPUS["tracking columns that are styled and formatted"](), {1: "1Z1"})
    assert '<c r="F2" s="1" t="inlineStr"' in styled  # was there, blank
    assert '<c r="G2" s="1" t="inlineStr"' in styled  # by its column's format


def test_a_table_grows_by_the_two_columns(orders: Path) -> None:
    orders.write_bytes(CORPUS["a table with totals below a title"]())
    assert codes(write(orders, changes(orders, {1: "1Z1"}))) == [None]
    table = parts_of(orders.read_bytes())["xl/tables/table1.xml"].decode()
    assert 'ref="A3:G7"' in table
    assert 'tableColumns count="7"' in table
    assert '<tableColumn id="6" name="tracking_number"/><tableColumn id="7" name="shipped_at"/></tableColumns>' in table
    sheet = active_sheet(openpyxl.load_workbook(orders))
    assert sheet.tables["Parcels"].column_names[-2:] == ["tracking_number", "shipped_at"]
    assert [sheet["F3"].value, sheet["G3"].value, sheet["F4"].value] == ["tracking_number", "shipped_at", "1Z1"]
    assert codes(write(orders, changes(orders, {2: "1Z2"}, "Parcels"), "Parcels")) == [None]
    assert parts_of(orders.read_bytes())["xl/tables/table1.xml"].decode() == table


def test_a_tables_filter_grows_with_it(orders: Path) -> None:
    orders.write_bytes(CORPUS["a table"]())
    assert codes(write(orders, changes(orders, {1: "1Z1"}))) == [None]
    assert b'<autoFilter ref="A1:G4"/>' in parts_of(orders.read_bytes())["xl/tables/table1.xml"]


def test_notes_beside_the_orders_are_not_overwritten(orders: Path) -> None:
    orders.write_bytes(CORPUS["a note far to the right"]())
    assert codes(write(orders, changes(orders, {1: "1Z1", 2: "1Z2"}))) == [None, None]
    sheet = active_sheet(openpyxl.load_workbook(orders))
    assert [cell.value for cell in sheet[3]] == [*ORDERS[2], None, "ring first", "1Z2", SHIPPED]


def test_a_title_above_does_not_keep_columns_from_being_used(orders: Path) -> None:
    title = ["Orders", None, None, None, None, None, None, "page 1"]
    assert 'r="F3"' in sheet_after(orders, plain([title, [], *ORDERS]), {1: "1Z1"})


def test_columns_in_any_order_are_filled_where_they_are(orders: Path) -> None:
    orders.write_bytes(
        by_openpyxl([["Shipped_At", "TRACKING_NUMBER", "name"], [None, None, "Ada"], [None, None, "Ben"]])
    )
    assert codes(write(orders, changes(orders, {1: "1Z1", 2: "1Z2"}))) == [None, None]
    rows = [[cell.value for cell in row] for row in active_sheet(openpyxl.load_workbook(orders)).iter_rows(min_row=2)]
    assert rows == [[SHIPPED, "1Z1", "Ada"], [SHIPPED, "1Z2", "Ben"]]


def test_clearing_leaves_an_empty_cell_with_its_look(orders: Path) -> None:
    orders.write_bytes(CORPUS["tracking columns that are styled and formatted"]())
    assert codes(write(orders, changes(orders, {1: "1Z1", 2: "1Z2"}))) == [None, None]
    cleared = [RowChange(**{**vars(each), "replaces": ("1Z1",)}) for each in changes(orders, {1: None})]
    assert codes(write(orders, cleared)) == [None]
    after = parts_of(orders.read_bytes())[SHEET].decode()
    assert '<c r="F2" s="1"/><c r="G2" s="1"/>' in after
    assert numbers_of(orders) == {"Ada": "", "Ben": "1Z2", "Cy": ""}
    assert codes(write(orders, changes(orders, {2: None}))) == ["E-4012"]
    assert codes(write(orders, changes(orders, {3: None}))) == [None]


def test_another_number_is_a_conflict_unless_it_is_to_be_replaced(orders: Path) -> None:
    assert codes(write(orders, changes(orders, {1: "1Z1"}))) == [None]
    before = orders.read_bytes()
    (other,) = changes(orders, {1: "1Z9"})
    assert codes(write(orders, [other])) == ["E-4012"]
    assert orders.read_bytes() == before
    assert codes(write(orders, [RowChange(**{**vars(other), "replaces": ("1Z1",)})])) == [None]
    assert numbers_of(orders)["Ada"] == "1Z9"


def test_of_several_changes_of_a_row_the_greatest_version_counts(orders: Path) -> None:
    (first,) = changes(orders, {1: "1Z1"})
    versions = [change(1, first.checksum, "1Z3", version=3), change(1, first.checksum, "1Z2", version=2)]
    assert [result.row_version for result in write(orders, versions)] == [3, 2]
    assert numbers_of(orders)["Ada"] == "1Z3"


def test_rows_that_moved_are_found_again_and_a_changed_one_is_reported(orders: Path) -> None:
    wanted = changes(orders, {1: "1Z1", 2: "1Z2", 3: "1Z3"})
    moved: list[list[str | float | None]]
    moved = [ORDERS[0], ORDERS[3], ["A9", "New", "CA", "00501", 1], [*ORDERS[2][:4], 26], ORDERS[1]]
    orders.write_bytes(by_xlsxwriter(moved))
    results = write(orders, wanted)
    assert codes(results) == [None, "E-4010", None]
    assert "enter tracking number 1Z2 by hand." in str(results[1].error)
    assert numbers_of(orders) == {"Ada": "1Z1", "Cy": "1Z3", "Ben": "", "New": ""}


def test_a_row_of_which_there_are_two_is_not_guessed(orders: Path) -> None:
    wanted = changes(orders, {1: "1Z1"})
    orders.write_bytes(plain([ORDERS[0], ORDERS[2], ORDERS[1], ORDERS[1]]))
    assert codes(write(orders, wanted)) == ["E-4010"]


def test_a_file_saved_by_another_program_meanwhile_loses_nothing(orders: Path) -> None:
    wanted = changes(orders, {1: "1Z1", 2: "1Z2"})
    excel, source = target(orders.parent), ExcelSource(path=orders.name)
    assert codes(excel.apply(source, wanted[:1])) == [None]
    book = openpyxl.load_workbook(orders)
    active_sheet(book)["B4"] = "Cyrus"
    book.save(orders)
    assert codes(excel.apply(source, wanted[1:])) == [None]
    assert numbers_of(orders) == {"Ada": "1Z1", "Ben": "1Z2", "Cyrus": ""}


def test_only_the_named_sheet_or_table_is_written_to_and_two_sheets_do_not_lose_each_others(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    book = openpyxl.Workbook()
    for name in ("One", "Two"):
        sheet = book.create_sheet(name)
        for row in ORDERS:
            sheet.append(row)
    book["Two"].add_table(Table(displayName="Parcels", ref="A1:E4"))
    book.remove(book["Sheet"])
    path.write_bytes(saved(book))
    excel = target(tmp_path)
    for number in (1, 2, 3):
        for sheet in ("One", "Two", "Parcels"):
            wanted = changes(path, {number: f"1Z{number}"}, sheet)
            assert codes(excel.apply(ExcelSource(path="orders.xlsx", sheet=sheet), wanted)) == [None]
    assert numbers_of(path, "One") == numbers_of(path, "Two") == {"Ada": "1Z1", "Ben": "1Z2", "Cy": "1Z3"}


def test_a_sheet_or_column_that_was_renamed_is_reported_with_what_there_is(orders: Path) -> None:
    wanted = changes(orders, {1: "1Z1"})
    assert "has no sheet or table Gone" in message(write(orders, wanted, "Gone"))
    orders.write_bytes(plain([["id", *ORDERS[0][1:]], *ORDERS[1:]]))
    before = orders.read_bytes()
    assert message(write(orders, wanted)).startswith("E-4010")
    assert orders.read_bytes() == before


def test_a_workbook_that_became_unsafe_or_none_is_left_alone(orders: Path) -> None:
    wanted = changes(orders, {1: "1Z1"})
    for raw, reason in (
        (with_parts(plain(), {"_xmlsignatures/sig1.xml": "<x/>"}), "digitally signed"),
        (b"%PDF", "PDF document"),
        (plain()[:-10], "cut off"),
    ):
        orders.write_bytes(raw)
        text = message(write(orders, wanted))
        assert text.startswith("E-4011")
        assert reason in text
        assert orders.read_bytes() == raw
    orders.unlink()
    assert codes(write(orders, wanted)) == ["E-4011"]


def test_a_symlink_mode_owner_and_attributes_stay(orders: Path) -> None:
    link = orders.with_name("link.xlsx")
    link.symlink_to(orders.name)
    orders.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(orders, 12345, 23456)
    os.setxattr(orders, "user.department", b"shipping")
    before = orders.stat()
    assert codes(write(link, changes(link, {1: "1Z1"}))) == [None]
    after = orders.stat()
    assert link.is_symlink()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(orders, "user.department") == b"shipping"


def test_texts_are_escaped_and_those_no_workbook_holds_fail_alone(orders: Path) -> None:
    texts = {1: ' <1Z> & "2" ', 2: "1Z\x01", 3: "_x0041_"}
    assert codes(write(orders, changes(orders, texts))) == [None, "E-4011", None]
    assert numbers_of(orders) == {"Ada": texts[1], "Ben": "", "Cy": "_x0041_"}
    assert active_sheet(openpyxl.load_workbook(orders))["F2"].value == texts[1]


def test_a_value_of_another_kind_makes_room_for_the_text(orders: Path) -> None:
    data = rows_xml([["name", "tracking_number"]]) + (
        '<row r="2"><c r="A2" t="inlineStr"><is><t>Ada</t></is></c><c r="B2" s="0" t="e" vm="1"><v>#N/A</v></c></row>'
    )
    assert f'<c r="B2" s="0" {inline("1Z1")}' in sheet_after(orders, by_hand(("S", sheet_xml(data))), {1: "1Z1"})


def test_a_target_takes_no_other_source_and_no_file_outside_its_roots(orders: Path) -> None:
    with pytest.raises(TypeError):
        target(orders.parent).apply(CsvSource(path="orders.csv"), [])
    root = orders.parent / "root"
    root.mkdir()
    assert codes(target(root).apply(ExcelSource(path="../orders.xlsx"), changes(orders, {1: "1Z1"}))) == ["E-1006"]


def test_no_changes_are_no_work(orders: Path) -> None:
    before = orders.stat()
    assert write(orders, []) == []
    after = orders.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
