"""Workbooks as snapshots: where the orders are found on a sheet, and what their cells say."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from shared.errors import TallyError
from shared.sources import row_checksum
from shared.sources.excel import open_excel
from shared.sources.excel_orders import sheet_name
from tests.unit.excel_files import (
    ORDERS,
    active_sheet,
    by_hand,
    by_openpyxl,
    by_xlsxwriter,
    plain,
    rows_xml,
    saved,
    sheet_xml,
)

NAMES = ("order", "name", "state", "zip", "weight")


def read(folder: Path, raw: bytes, sheet: str | None = None) -> list[tuple[str, ...]]:
    """The rows of a workbook, after its columns."""
    path = folder / "orders.xlsx"
    path.write_bytes(raw)
    with open_excel(path, sheet) as snapshot:
        return [snapshot.columns, *(tuple(row.values.values()) for row in snapshot.rows())]


def notes(folder: Path, raw: bytes, sheet: str | None = None) -> tuple[str, ...]:
    path = folder / "orders.xlsx"
    path.write_bytes(raw)
    with open_excel(path, sheet) as snapshot:
        return snapshot.notes


def workbook_of(*rows: list[Any]) -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    active_sheet(workbook).title = "Orders"
    for row in rows:
        active_sheet(workbook).append(row)
    return workbook


AS_TEXT = [
    NAMES,
    ("A1", "Ada", "CA", "01002", "5"),
    ("A2", "Ben", "NY", "10001", "25"),
    ("A3", "Cy", "CA", "90210", "1.5"),
]


@pytest.mark.parametrize(
    "raw", [plain(), by_openpyxl(ORDERS), by_xlsxwriter(ORDERS)], ids=["hand", "openpyxl", "xlsxwriter"]
)
def test_rows_are_read_whoever_wrote_them(tmp_path: Path, raw: bytes) -> None:
    assert read(tmp_path, raw) == AS_TEXT
    assert notes(tmp_path, raw) == ()


def test_conditions_numbers_keys_and_checksums_are_those_of_every_source(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(plain())
    with open_excel(path) as snapshot:
        assert snapshot.count("state = 'CA' AND weight < 2") == 1
        (row,) = snapshot.rows("name ILIKE 'ben'")
        path.unlink()
        assert snapshot.count() == 3
    assert (row.number, row.key, row.surplus) == (2, "2", 0)
    assert row.checksum == row_checksum(row.values)


def test_values_become_text_as_a_person_reads_them(tmp_path: Path) -> None:
    values = {
        "whole": (7, "7"),
        "large": (123456789012345, "123456789012345"),
        "fraction": (0.1 + 0.2, "0.3"),
        "small": (0.0000001, "0.0000001"),
        "negative": (-2.5, "-2.5"),
        "truth": (True, "TRUE"),
        "day": (date(2026, 11, 21), "2026-11-21"),
        "moment": (datetime(2026, 11, 21, 10, 15, 30), "2026-11-21T10:15:30"),  # noqa: DTZ001 - a sheet has no zone
        "clock": (time(9, 5), "09:05:00"),
        "length": (timedelta(hours=30, minutes=1), "30:01:00"),
        "text": (" 007 ", " 007 "),
        "lines": ("1 Main St\nApt 2", "1 Main St\nApt 2"),
        "nothing": (None, ""),
    }
    workbook = workbook_of(list(values), [value for value, _ in values.values()])
    assert read(tmp_path, saved(workbook))[1] == tuple(text for _, text in values.values())


def test_formulas_count_by_their_cached_value_and_errors_as_nothing(tmp_path: Path) -> None:
    data = (
        '<row r="2"><c r="A2" t="str"><f>"A"&amp;"da"</f><v>Ada</v></c><c r="B2"><f>2+3</f><v>5</v></c>'
        '<c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    raw = by_hand(("S", sheet_xml(rows_xml([["name", "weight", "note"]]) + data)))
    assert read(tmp_path, raw)[1] == ("Ada", "5", "")


def test_the_header_is_found_below_titles_and_said(tmp_path: Path) -> None:
    workbook = workbook_of(["Orders of November"], [], ["Exported on:", date(2026, 11, 21)], [], *ORDERS)
    active_sheet(workbook).merge_cells("A1:E1")
    assert read(tmp_path, saved(workbook)) == AS_TEXT
    assert notes(tmp_path, saved(workbook)) == ("Read from sheet Orders, its header in row 5.",)


def test_labels_with_values_are_no_header_even_of_a_narrow_sheet(tmp_path: Path) -> None:
    workbook = workbook_of(["Exported by:", "Ada"], ["name", "zip"], ["Ben", "10001"])
    assert read(tmp_path, saved(workbook)) == [("name", "zip"), ("Ben", "10001")]


def test_blank_rows_are_left_out_and_numbers_go_on(tmp_path: Path) -> None:
    workbook = workbook_of(["name", "zip"], ["Ada", "01002"], [], ["  ", ""], ["Ben", "10001"])
    path = tmp_path / "orders.xlsx"
    path.write_bytes(saved(workbook))
    with open_excel(path) as snapshot:
        assert [(row.number, row.values["name"]) for row in snapshot.rows()] == [(1, "Ada"), (2, "Ben")]


def test_orders_may_begin_in_any_column_and_unnamed_columns_are_none(tmp_path: Path) -> None:
    rows = rows_xml([[None, None, "name", None, "zip"], [None, None, "Ada", "x", "01002"]], first=3)
    raw = by_hand(("S", sheet_xml(rows)))
    assert read(tmp_path, raw) == [("name", "zip"), ("Ada", "01002")]


def test_the_first_sheet_that_is_shown_is_read_unless_one_is_named(tmp_path: Path) -> None:
    workbook = workbook_of(["hidden"], [1])
    active_sheet(workbook).sheet_state = "hidden"
    workbook.create_sheet("Shown").append(["name"])
    workbook["Shown"].append(["Ada"])
    workbook.create_sheet("Third & last").append(["state"])
    workbook["Third & last"].append(["CA"])
    raw = saved(workbook)
    assert read(tmp_path, raw) == [("name",), ("Ada",)]
    assert notes(tmp_path, raw) == ("Read from sheet Shown, its header in row 1.",)
    assert read(tmp_path, raw, "third & LAST") == [("state",), ("CA",)]
    path = tmp_path / "orders.xlsx"
    assert [sheet_name(path, wanted, "x") for wanted in (None, "third & LAST")] == ["Shown", "Third & last"]
    with pytest.raises(
        TallyError, match=r"E-1022: x has no sheet or table Nope\. Name one of: Orders, Shown, Third & last"
    ):
        open_excel(path, "Nope", label="x")


def test_a_table_is_read_without_its_totals_and_what_stands_beside_it(tmp_path: Path) -> None:
    workbook = workbook_of(["Report"], [], [None, "name", "weight", None, "aside"], [None, "Ada", 5, None, "x"])
    sheet = active_sheet(workbook)
    for row in ([None, "Ben", 7, None, "y"], [None, "Total", 12], [], [None, "checked by", "Cy"]):
        sheet.append(row)
    table = Table(displayName="Parcels", ref="B3:C6", totalsRowCount=1)
    sheet.add_table(table)
    raw = saved(workbook)
    expected = [("name", "weight"), ("Ada", "5"), ("Ben", "7")]
    assert read(tmp_path, raw) == expected
    assert read(tmp_path, raw, "parcels") == expected
    assert notes(tmp_path, raw) == ("Read from table Parcels on sheet Orders, its header in row 3.",)
    assert sheet_name(tmp_path / "orders.xlsx", "parcels", "x") == "Parcels"


def test_of_several_tables_one_is_to_be_named(tmp_path: Path) -> None:
    workbook = workbook_of(["a", "b", None, "c"], [1, 2, None, 3], [4, 5, None, 6])
    active_sheet(workbook).add_table(Table(displayName="One", ref="A1:B3"))
    active_sheet(workbook).add_table(Table(displayName="Two", ref="D1:D3"))
    raw = saved(workbook)
    with pytest.raises(TallyError, match=r"E-1023: Sheet Orders .* several tables\. Name one of: One, Two\."):
        read(tmp_path, raw)
    assert read(tmp_path, raw, "Two") == [("c",), ("3",), ("6",)]


def test_a_small_table_beside_the_orders_does_not_hide_them(tmp_path: Path) -> None:
    workbook = workbook_of(*ORDERS, *[[f"B{n}", "Dee", "TX", "73301", n] for n in range(9)])
    active_sheet(workbook)["H5"], active_sheet(workbook)["H6"] = "code", "x"
    active_sheet(workbook).add_table(Table(displayName="Codes", ref="H5:H6"))
    assert len(read(tmp_path, saved(workbook))) == 13


def test_zips_kept_as_numbers_get_their_zeros_back_and_are_told(tmp_path: Path) -> None:
    workbook = workbook_of(
        ["Ship To ZIP Code", "weight", "Country"],
        [1002, 501, "US"],
        [501, 5, None],
        ["501", 5, "USA"],
        [10001, 5, "United States"],
        [10020987, 5, "us"],
        [1050, 5, "DK"],
    )
    raw = saved(workbook)
    zips = [row[0] for row in read(tmp_path, raw)[1:]]
    assert zips == ["01002", "00501", "501", "10001", "01002-0987", "1050"]
    (note,) = notes(tmp_path, raw)
    assert (
        note == "Column Ship To ZIP Code has ZIP codes stored as numbers; leading zeros were restored in rows 2, 3, 6."
    )


def test_formulas_whose_values_were_never_saved_count_as_empty_and_are_told(tmp_path: Path) -> None:
    raw = by_openpyxl(
        [["name", "apartment", "weight"], ["Ada", '="Apt "&3', 1], ["Ben", "Apt 4", "=1+1"], ["Cy", "=A1", 2]]
    )
    assert [row[1] for row in read(tmp_path, raw)[1:]] == ["", "Apt 4", ""]
    saving = "they count as empty. Open the workbook in a spreadsheet program and save it."
    assert notes(tmp_path, raw) == (
        f"Column apartment has formulas whose values were not saved, in rows 2, 4; {saving}",
        f"Column weight has formulas whose values were not saved, in row 3; {saving}",
    )


def test_a_formula_that_gives_an_empty_text_is_no_unsaved_one(tmp_path: Path) -> None:
    apartment = '<c r="B2" t="str"><f>IF(A2="x","y","")</f><v></v></c>'
    rows = rows_xml([["name", "apartment"], ["Ada"]]).replace("</row>", f"{apartment}</row>").replace(apartment, "", 1)
    raw = by_hand(("Orders", sheet_xml(rows)))
    assert read(tmp_path, raw)[1:] == [("Ada", "")]
    assert notes(tmp_path, raw) == ()


def test_each_zip_goes_by_the_country_of_its_own_address(tmp_path: Path) -> None:
    names = ["Billing Country", "Billing Zip", "Shipping Country", "Shipping Zip"]
    workbook = workbook_of(names, ["DK", 1050, "US", 1002], ["US", 1002, "DK", 1050])
    assert read(tmp_path, saved(workbook))[1:] == [("DK", "1050", "US", "01002"), ("US", "01002", "DK", "1050")]


def test_numbers_elsewhere_stay_as_they_are(tmp_path: Path) -> None:
    workbook = workbook_of(["order", "zipper size"], [1002, 7])
    assert read(tmp_path, saved(workbook))[1] == ("1002", "7")


def test_strings_keep_what_xml_escapes(tmp_path: Path) -> None:
    texts = ['<b> & "c"', "a,b", "tab\there", "_x0041_", "é 東京 🚚", "'quoted'"]
    rows = [["a", "b", "c", "d", "e", "f"], texts]
    assert read(tmp_path, by_xlsxwriter(rows))[1] == tuple(texts)
    assert read(tmp_path, by_xlsxwriter(rows, constant_memory=True))[1] == tuple(texts)


def test_a_sheet_written_with_prefixes_comments_and_cdata_is_read(tmp_path: Path) -> None:
    data = (
        '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>name</x:t></x:is></x:c></x:row>'
        '<!-- <x:row r="2"><x:c r="A2"><x:v>1</x:v></x:c></x:row> -->'
        '<x:row r="3"><x:c r="A3" t="inlineStr"><x:is><x:t><![CDATA[</x:row>]]></x:t></x:is></x:c></x:row>'
    )
    root = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<x:worksheet xmlns:x="{root}"><x:sheetData>{data}</x:sheetData></x:worksheet>'
    assert read(tmp_path, by_hand(("S", xml))) == [("name",), ("</x:row>",)]


def test_rows_and_cells_without_references_are_read(tmp_path: Path) -> None:
    text = '<c t="inlineStr"><is><t>{}</t></is></c>'
    data = "".join(
        f"<row>{''.join(text.format(each) for each in row)}</row>" for row in (["name", "zip"], ["Ada", "01002"])
    )
    assert read(tmp_path, by_hand(("S", sheet_xml(data)))) == [("name", "zip"), ("Ada", "01002")]


def test_memory_does_not_follow_cells_that_are_only_styled(tmp_path: Path) -> None:
    far = '<c r="XFD1" s="0"/>'
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 3000))
    raw = by_hand(("S", sheet_xml(rows_xml([["n"]]).replace("</row>", far + "</row>") + rows)))
    assert len(read(tmp_path, raw)) == 2999
