"""Workbooks that are none, or that would harm whoever opens them: refused in one line, by code."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.table import Table

from shared.errors import TallyError
from shared.sources.excel import open_excel
from shared.sources.excel_orders import read_orders
from tests.unit.excel_files import (
    MAIN,
    SHEET,
    active_sheet,
    by_hand,
    by_xlsxwriter,
    package,
    parts_of,
    plain,
    rows_xml,
    saved,
    sheet_xml,
    with_parts,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
ENCRYPTED = OLE + "EncryptedPackage".encode("utf-16-le") + bytes(480)
SMALL = by_xlsxwriter([["name", "zip"], ["Ada", 1002], ["Ben", 10001]])
WORKBOOK = "xl/workbook.xml"
BOMB = b"<worksheet>" + bytes(20 << 20) + b"</worksheet>"


def refusal(raw: bytes, sheet: str | None = None) -> str:
    """What a workbook is refused with, in one line."""
    with pytest.raises(TallyError) as caught:
        list(read_orders(raw, sheet, "orders.xlsx").rows())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zip_of(content: bytes) -> bytes:
    return package({"a.txt": content})


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "it is empty"),
        (OLE, "Excel workbook of the old kind"),
        (ENCRYPTED, "encrypted with a password"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"order,name\n1,Ada\n", "no zip archive"),
        (b"PK\x03\x04 and nothing behind it", "cut off"),
        (zip_of(b"hello"), "a zip archive without a workbook"),
        (package({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
        (package({"xl/workbook.bin": b""}), "binary workbook"),
        (plain()[:-30], "cut off"),
        (plain() + b"x", "damaged"),
        (b"PK\x03\x04" + plain(), "damaged"),
        (
            with_parts(SMALL, {WORKBOOK: parts_of(SMALL)[WORKBOOK].replace(b'name="', b'name="&#x9b;2J&#10;', 1)}),
            "a name in it has control characters",
        ),
    ],
)
def test_what_is_no_workbook_is_named(raw: bytes, reason: str) -> None:
    assert refusal(raw).startswith("E-1020: orders.xlsx cannot be read as an Excel workbook: ")
    assert reason in refusal(raw)


def test_the_end_is_the_same_through_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(b"%PDF")
    with pytest.raises(TallyError, match=r"E-1020: orders\.xlsx"):
        open_excel(path, label="orders.xlsx")
    path.unlink()
    with pytest.raises(TallyError, match="E-1002"):
        open_excel(path)


def test_a_bomb_is_refused_by_its_directory_before_anything_is_unpacked() -> None:
    assert "E-1021" in refusal(with_parts(plain(), {"xl/media/image1.png": BOMB}))


def test_a_part_that_is_larger_than_it_says_is_refused() -> None:
    raw = bytearray(plain([["n"], ["x" * 5000]]))
    size = len(parts_of(bytes(raw))[SHEET])
    for at in range(len(raw) - 4):
        if raw[at : at + 4] == struct.pack("<L", size):
            raw[at : at + 4] = struct.pack("<L", size - 1000)
    assert "E-1020" in refusal(bytes(raw))
    assert "damaged" in refusal(bytes(raw))


def test_entries_that_overlap_are_refused() -> None:
    raw = bytearray(plain())
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        one, other = archive.infolist()[:2]
    at = raw.find(b"PK\x01\x02")
    fields = struct.Struct("<L")
    assert fields.unpack_from(raw, at + 42)[0] == one.header_offset
    fields.pack_into(raw, at + 20, other.header_offset + other.compress_size)
    assert "overlap" in refusal(bytes(raw))


def test_two_parts_of_one_name_are_refused() -> None:
    buffer = io.BytesIO(plain())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("XL/worksheets/Sheet1.xml", sheet_xml(rows_xml([["other"], [1]])))
    assert "two of its parts have one name" in refusal(buffer.getvalue())


def test_an_entity_bomb_is_refused_in_every_part_that_is_read() -> None:
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    for part in (SHEET, "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        content = parts_of(plain())[part].decode()
        declaration, end, rest = content.rpartition("?>\n")
        assert "declares a document type" in refusal(with_parts(plain(), {part: declaration + end + entities + rest}))
    shared = f'{entities}<sst xmlns="{MAIN}"><si><t>&b;</t></si></sst>'
    assert "declares a document type" in refusal(with_parts(plain(), {"xl/sharedStrings.xml": shared}))
    styles = f'{entities}<styleSheet xmlns="{MAIN}"/>'
    assert "declares a document type" in refusal(with_parts(plain(), {"xl/styles.xml": styles}))


def test_a_cell_beyond_any_cell_is_refused() -> None:
    # Text that packs badly, lest its ratio gives it away first.
    long = "".join(f"{n:x}" for n in range(300_000))
    assert "E-1021" in refusal(plain([["n"], [long]]))
    assert "a cell in it has more than" in refusal(plain([["n"], [long]]))
    pieces = "".join(f"<r><t>{n:0>60000x}</t></r>" for n in range(20))
    shared = f'<sst xmlns="{MAIN}"><si>{pieces}</si></sst>'
    assert "a cell in it has more than" in refusal(with_parts(plain(), {"xl/sharedStrings.xml": shared}))


def test_a_200_mb_cell_is_refused_at_once() -> None:
    xml = sheet_xml('<row r="1"><c r="A1" t="inlineStr"><is><t>' + "A" * (200 << 20) + "</t></is></c></row>")
    assert "E-1021" in refusal(by_hand(("S", xml)))


def test_two_cells_in_far_corners_are_refused() -> None:
    rows = rows_xml([["n"], [1]]) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert "its cells spread over 1048576 rows and 16384 columns" in refusal(by_hand(("S", sheet_xml(rows))))


def test_one_long_string_in_every_cell_is_refused() -> None:
    row = "".join(f'<c r="{letter}{{0}}" t="s"><v>0</v></c>' for letter in "ABCDEFGHIJ")
    rows = "".join(f'<row r="{n}">{row.format(n)}</row>' for n in range(1, 5000))
    shared = f'<sst xmlns="{MAIN}"><si><t>{"long " * 6000}</t></si></sst>'
    raw = with_parts(by_hand(("S", sheet_xml(rows))), {"xl/sharedStrings.xml": shared})
    assert "its cells share more than 1024 MiB" in refusal(raw)


@pytest.mark.parametrize(
    "data",
    [
        '<row r="1"><c r="AAAA1"><v>1</v></c></row>',
        '<row r="1"><c r="A-1"><v>1</v></c></row>',
        '<row r="1"><c r="ZZZ1"><v>1</v></c></row>',
        '<row r="1"><c r="A9999999"><v>1</v></c></row>',
        '<row r="0"><c r="A1"><v>1</v></c></row>',
        '<row r="1048577"><c r="A1048577"><v>1</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
    ],
)
def test_impossible_places_and_missing_strings_are_refused(data: str) -> None:
    assert "E-1020" in refusal(by_hand(("S", sheet_xml(data))))


@pytest.mark.parametrize(
    "xml",
    [
        "<worksheet",
        "<html/>",
        f'<chartsheet xmlns="{MAIN}"/>',
        '<worksheet xmlns="urn:other"><sheetData/></worksheet>',
        f'<worksheet xmlns="{MAIN}"/>',
        sheet_xml("").replace("UTF-8", "ISO-8859-1"),
        sheet_xml(rows_xml([["n"], [1]])).replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
)
def test_a_part_that_is_no_sheet_is_refused(xml: str | bytes) -> None:
    assert "E-1020" in refusal(with_parts(plain(), {SHEET: xml}))


def test_a_missing_part_is_refused() -> None:
    assert f"it has no part {SHEET}" in refusal(with_parts(plain(), {SHEET: None}))
    assert "it has no worksheet" in refusal(with_parts(plain(), {"xl/_rels/workbook.xml.rels": None}))


def test_empty_sheets_and_sheets_without_rows_are_refused() -> None:
    assert "E-1003: orders.xlsx has nothing on sheet S" in refusal(by_hand(("S", sheet_xml(""))))
    with pytest.raises(TallyError, match="E-1003"):
        open_excel_of(plain([["name", "zip"]]))


def open_excel_of(raw: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "orders.xlsx")
        path.write_bytes(raw)
        open_excel(path).close()


def test_headers_that_are_formulas_twice_there_or_no_text_are_refused() -> None:
    formula = '<row r="1"><c r="A1" t="str"><f>"na"&amp;"me"</f><v>name</v></c></row>' + rows_xml([["x"]], first=2)
    assert refusal(by_hand(("S", sheet_xml(formula)))).startswith(
        "E-1024: The column name in A1 of orders.xlsx is a formula"
    )
    assert refusal(plain([["name", "Name"], ["a", "b"]])).startswith("E-1004: ")
    bell = sheet_xml(rows_xml([["na_x0007_me"], ["x"]]))
    assert "E-1024: The column name in A1 of orders.xlsx has control characters" in refusal(by_hand(("S", bell)))


def test_a_table_without_a_header_row_is_refused() -> None:
    workbook = openpyxl.Workbook()
    for row in (["a", "b"], [1, 2]):
        active_sheet(workbook).append(row)
    table: Any = Table(displayName="T", ref="A1:B2", headerRowCount=0)
    table._initialise_columns()
    active_sheet(workbook).add_table(table)
    assert "E-1024" in refusal(saved(workbook))


def test_a_64_bit_archive_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts_of(plain()).items():
            with archive.open(name, "w", force_zip64=True) as part:
                part.write(content)
    list(read_orders(buffer.getvalue(), None, "x").rows())  # only the local headers have them: harmless


@settings(max_examples=300)
@given(st.data())
def test_damage_anywhere_gives_a_code_or_the_same_rows(data: st.DataObject) -> None:
    raw = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        rows = list(read_orders(bytes(raw), None, "x").rows())
    except TallyError as error:
        code = error.body.code
    else:
        code = "none"
        assert rows == [(2, ["Ada", "01002"]), (3, ["Ben", "10001"])]
    assert code in {"none", "E-1003", "E-1020", "E-1021"}


def test_a_formula_in_the_header_is_refused_although_no_value_was_saved_with_it() -> None:
    workbook = openpyxl.Workbook()
    for row in (["order", '="na"&"me"', "zip"], ["1", "Ada", "02143"]):
        active_sheet(workbook).append(row)
    assert refusal(saved(workbook)).startswith("E-1024: The column name in B1 of orders.xlsx is a formula")


def test_a_sheet_without_orders_is_told_with_the_sheets_that_may_have_them() -> None:
    workbook = openpyxl.Workbook()
    active_sheet(workbook).title = "Summary"
    active_sheet(workbook).append(["Total", 3])
    workbook.create_sheet("Orders").append(["name"])
    workbook.create_sheet("Hidden").sheet_state = "hidden"
    with pytest.raises(TallyError) as caught:
        open_excel_of(saved(workbook))
    told = "has a header but no rows on sheet Summary (its other sheets are Orders; name one with --sheet)."
    assert caught.value.body.message.endswith(told)
