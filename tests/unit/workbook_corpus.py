"""Workbooks as different programs write them, with orders under a header: kept as files, or made when asked for."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule, DataBarRule
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from tests.unit.excel_files import (
    MAIN,
    NAMES,
    ORDERS,
    RELATIONS,
    SHEET,
    active_sheet,
    by_hand,
    by_openpyxl,
    by_xlsxwriter,
    package,
    parts_of,
    plain,
    prefixed,
    relationships,
    rows_xml,
    saved,
    sheet_xml,
    with_parts,
)

# Written by the programs that they are named after: LibreOffice, Excelize, ExcelJS, SheetJS and libraries of Python.
_FILES = sorted(Path(__file__).with_name("workbooks").glob("*.xlsx"))
CORPUS: dict[str, Callable[[], bytes]] = {path.stem.replace("_", " "): path.read_bytes for path in _FILES}


def workbook(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Take a workbook into the corpus."""
    CORPUS[make.__name__.replace("_", " ")] = make
    return make


def _picture() -> io.BytesIO:
    """A red pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">2L5B", 1, 1, 8, 2, 0, 0, 0))
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")
    )


def _xlsxwriter(
    fill: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None], **options: object
) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        sheet = book.add_worksheet("Orders")
        for number, row in enumerate(ORDERS):
            sheet.write_row(number, 0, row)
        fill(book, sheet)
    return buffer.getvalue()


def _openpyxl() -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    active_sheet(book).title = "Orders"
    for row in ORDERS:
        active_sheet(book).append(row)
    return book


@workbook
def hand_made() -> bytes:
    return plain()


@workbook
def plain_openpyxl() -> bytes:
    return by_openpyxl(ORDERS)


@workbook
def plain_xlsxwriter() -> bytes:
    return by_xlsxwriter(ORDERS)


@workbook
def xlsxwriter_with_inline_strings() -> bytes:
    return by_xlsxwriter(ORDERS, constant_memory=True)


@workbook
def xlsxwriter_in_the_1904_calendar() -> bytes:
    return by_xlsxwriter(ORDERS, date_1904=True)


@workbook
def sparklines_charts_pictures_and_boxes() -> bytes:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        other = book.add_worksheet("Charts")
        sheet.add_sparkline("A12", {"range": "Orders!E2:E4"})
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=Orders!$E$2:$E$4"})
        sheet.insert_chart("J2", chart)
        sheet.insert_image("J20", "red.png", {"image_data": _picture()})
        sheet.insert_textbox("J30", "Handle with care")
        sheet.insert_button("J40", {"caption": "Ship"})
        other.write("A1", "see the other sheet")

    return _xlsxwriter(fill)


@workbook
def formats_validations_and_comments() -> bytes:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.conditional_format("E2:E4", {"type": "data_bar", "data_bar_2010": True})
        sheet.conditional_format("E2:E4", {"type": "icon_set", "icon_style": "3_traffic_lights"})
        sheet.data_validation("C2:C4", {"validate": "list", "source": ["CA", "NY"]})
        sheet.write_comment("A2", "Ring first")
        sheet.set_column("A:B", 20, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        sheet.set_header("&CPage &P")
        sheet.repeat_rows(0)
        sheet.set_h_pagebreaks([3])

    return _xlsxwriter(fill)


@workbook
def formulas_with_cached_values() -> bytes:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_formula("E2", "=2+3", None, 5)
        sheet.write_array_formula("A20:A22", "{=E2:E4*2}", None, 10)
        sheet.write_dynamic_array_formula("A25", "=SORT(E2:E4)", None, 1.5)
        book.define_name("Weights", "=Orders!$E$2:$E$4")

    return _xlsxwriter(fill)


@workbook
def a_table() -> bytes:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.add_table(
            0, 0, len(ORDERS) - 1, 4, {"name": "Parcels", "columns": [{"header": name} for name in ORDERS[0]]}
        )

    return _xlsxwriter(fill)


@workbook
def a_table_with_totals_below_a_title() -> bytes:
    book = openpyxl.Workbook()
    rows: list[list[str | float | None]] = [["November"], [], *ORDERS, ["Total", None, None, None, 31.5]]
    for row in rows:
        active_sheet(book).append(row)
    active_sheet(book).add_table(Table(displayName="Parcels", ref="A3:E7", totalsRowCount=1))
    return saved(book)


@workbook
def a_filter() -> bytes:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.autofilter(0, 0, 3, 4)
        sheet.filter_column("C", "x == CA")
        sheet.set_row(2, options={"hidden": True})

    return _xlsxwriter(fill)


@workbook
def merged_title_and_blank_rows() -> bytes:
    book = openpyxl.Workbook()
    rows: list[list[str | float | None]] = [["Orders of November"], [], ORDERS[0], [], *ORDERS[1:3], [], [], ORDERS[3]]
    for row in rows:
        active_sheet(book).append(row)
    active_sheet(book).merge_cells("A1:E1")
    return saved(book)


@workbook
def charts_and_formats_of_openpyxl() -> bytes:
    book = _openpyxl()
    sheet = active_sheet(book)
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=5, min_row=1, max_row=4), titles_from_data=True)
    sheet.add_chart(chart, "K2")
    sheet["A2"].comment = Comment("Ring first", "Ada")
    sheet.conditional_formatting.add("E2:E4", DataBarRule("min", None, "max", None, "FF638EC6"))
    sheet.conditional_formatting.add("E2:E4", ColorScaleRule("min", None, "FFAA0000", "max", None, "FF00AA00"))
    validation = DataValidation("list", formula1='"CA,NY"')
    validation.add("C2:C4")
    sheet.add_data_validation(validation)
    for cell in sheet[2]:
        cell.fill, cell.font = PatternFill("solid", "FFFFFF00"), Font(bold=True)
    sheet["A2"].hyperlink = "https://example.com/orders/A1"
    return saved(book)


@workbook
def empty_tracking_columns_between() -> bytes:
    names = ["Shipped_At", "order", "name", "TRACKING_NUMBER", "state", "zip", "weight"]
    return by_openpyxl([names, *[[None, *row[:2], None, *row[2:]] for row in ORDERS[1:]]])


@workbook
def tracking_columns_that_are_styled_and_formatted() -> bytes:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        blue = book.add_format({"bg_color": "blue", "num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 5, ["tracking_number", "shipped_at"], blue)
        sheet.set_column("G:G", 20, blue)
        for row in range(1, 4):
            sheet.write_blank(row, 5, None, blue)

    return _xlsxwriter(fill)


@workbook
def one_tracking_column_of_two() -> bytes:
    return by_xlsxwriter([["tracking_number", *ORDERS[0]], *[["", *row] for row in ORDERS[1:]]])


@workbook
def a_note_far_to_the_right() -> bytes:
    return plain([*ORDERS[:2], [*ORDERS[2], None, "ring first"], ORDERS[3]])


@workbook
def dates_and_zips_as_numbers() -> bytes:
    day, moment = date(2026, 11, 21), datetime(2026, 11, 22, 8, 30)  # noqa: DTZ001 - a workbook's moments have no time zone
    return by_xlsxwriter(
        [["order", "due", "zip"], ["A1", day, 1002], ["A2", moment, 10001]], default_date_format="yyyy-mm-dd"
    )


@workbook
def orders_on_the_second_sheet_the_first_hidden() -> bytes:
    book = _openpyxl()
    book.create_sheet("Notes", 0)["A1"] = "nothing to see"
    book["Notes"].sheet_state = "hidden"
    return saved(book)


@workbook
def a_protected_sheet() -> bytes:
    return _xlsxwriter(lambda _, sheet: sheet.protect("secret"))


@workbook
def macros() -> bytes:
    content_types = parts_of(plain())["[Content_Types].xml"].decode()
    return with_parts(
        plain(),
        {
            "[Content_Types].xml": content_types.replace(
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            ).replace(
                "<Override", '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/><Override', 1
            ),
            "xl/vbaProject.bin": bytes(range(256)) * 16,
            "xl/_rels/workbook.xml.rels": relationships(
                f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
                '<Relationship Id="rId2" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"'
                ' Target="vbaProject.bin"/>'
            ),
        },
    )


@workbook
def a_pivot_cache_and_a_custom_part() -> bytes:
    return with_parts(
        plain(),
        {
            "xl/pivotCache/pivotCacheDefinition1.xml": f'<pivotCacheDefinition xmlns="{MAIN}"/>',
            "xl/pivotTables/pivotTable1.xml": f'<pivotTableDefinition xmlns="{MAIN}"/>',
            "customXml/item1.xml": "<anything/>",
        },
    )


@workbook
def prefixes_as_the_open_xml_sdk_writes_them() -> bytes:
    return by_hand(("Orders", prefixed(sheet_xml(rows_xml(ORDERS)))))


@workbook
def extensions_and_attributes_that_excel_writes() -> bytes:
    root = (
        f'xmlns="{MAIN}" xmlns:r="{RELATIONS}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        ' mc:Ignorable="x14ac xr" xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac"'
        ' xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision"'
        ' xr:uid="{00000000-0001-0000-0000-000000000000}"'
    )
    rows = rows_xml(ORDERS).replace(
        '<row r="2"', '<row r="2" spans="1:5" x14ac:dyDescent="0.25" ht="30" customHeight="1"'
    )
    before = (
        '<sheetPr><tabColor rgb="FFFF0000"/></sheetPr><dimension ref="A1:E4"/>'
        '<sheetFormatPr defaultRowHeight="15" x14ac:dyDescent="0.25"/>'
    )
    after = (
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        '<extLst><ext uri="{05C60535-1F16-4fd2-B633-F4F36F0B64E0}"'
        ' xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
        '<x14:sparklineGroups xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main">'
        "<x14:sparklineGroup><x14:sparklines>"
        "<x14:sparkline><xm:f>Orders!E2:E4</xm:f><xm:sqref>A9</xm:sqref></x14:sparkline>"
        "</x14:sparklines></x14:sparklineGroup></x14:sparklineGroups></ext></extLst>"
    )
    return by_hand(("Orders", sheet_xml(rows, before, after, root)))


@workbook
def single_quotes_comments_and_blanks_in_the_markup() -> bytes:
    rows = "\n  ".join(rows_xml([row], number) for number, row in enumerate(ORDERS, start=1))
    rows = rows.replace('<row r="2">', "<row\n r = '2' >").replace('<c r="A3"', "<c s='0' r='A3'")
    return by_hand(("Orders", sheet_xml(f"\n  {rows}<!-- <row r='9'><c r='A9'/></row> -->\n")))


@workbook
def strings_in_cdata_and_a_byte_order_mark() -> bytes:
    xml = sheet_xml(rows_xml(ORDERS)).replace(">Ada<", "><![CDATA[A</row>da]]><")
    return with_parts(plain(), {SHEET: b"\xef\xbb\xbf" + xml.encode()})


@workbook
def shared_strings_of_rich_text() -> bytes:
    shared = "".join(f"<si><r><rPr><b/></rPr><t>{t[:1]}</t></r><r><t>{t[1:]}</t></r></si>" for t in NAMES)
    header = "".join(f'<c r="{letter}1" t="s"><v>{n}</v></c>' for n, letter in enumerate("ABCDE"))
    raw = by_hand(("Orders", sheet_xml(f'<row r="1">{header}</row>' + rows_xml(ORDERS[1:], 2))))
    names = parts_of(raw)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    sst = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    relation = f'<Relationship Id="rId9" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    return with_parts(
        raw,
        {
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}" count="5" uniqueCount="5">{shared}</sst>',
            "[Content_Types].xml": names["[Content_Types].xml"].decode().replace("</Types>", sst),
            "xl/_rels/workbook.xml.rels": names["xl/_rels/workbook.xml.rels"]
            .decode()
            .replace("</Relationships>", relation),
        },
    )


@workbook
def strict_open_xml() -> bytes:
    strict = {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main"
    }
    strict[RELATIONS] = "http://purl.oclc.org/ooxml/officeDocument/relationships"
    parts = {}
    for name, content in parts_of(plain()).items():
        text = content.decode()
        for transitional, other in strict.items():
            text = text.replace(transitional, other)
        parts[name] = text
    return package(parts)


@workbook
def stored_without_packing() -> bytes:
    return package(parts_of(plain()), zipfile.ZIP_STORED)


@workbook
def streamed_with_descriptors_behind_the_data() -> bytes:
    class Pipe(io.RawIOBase):
        """A stream that cannot seek, as a download's is: sizes come after the data."""

        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            piece = bytes(data)
            self.content += piece
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts_of(plain()).items():
            archive.writestr(name, content)
    return pipe.content


@workbook
def an_archive_with_extra_fields_comments_and_the_sheet_first() -> bytes:
    parts = parts_of(plain())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"made by hand"
        for name in sorted(parts, key=lambda name: name != SHEET):
            info = zipfile.ZipInfo(name, (1999, 12, 31, 23, 59, 58))
            info.extra, info.comment = struct.pack("<2H4s", 0xCAFE, 4, b"jar!"), b"a part"
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, parts[name])
    return buffer.getvalue()


@workbook
def padding_between_the_entries() -> bytes:
    """Every entry begins at a multiple of 512, as some writers align them; the directory lists them backwards."""
    raw, directory = b"", []
    for name, content in parts_of(plain()).items():
        raw += bytes(-len(raw) % 512) if raw else b""
        packing = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packing.compress(content) + packing.flush()
        sizes = struct.pack("<3L", zlib.crc32(content), len(packed), len(content))
        encoded = name.encode()
        common = struct.pack("<5H", 20, 0, 8, 0x6000, 0x5000)
        lengths = struct.pack("<2H", len(encoded), 0)
        directory.append(
            b"PK\1\2" + b"\x14\0" + common + sizes + lengths + struct.pack("<3H2L", 0, 0, 0, 0, len(raw)) + encoded
        )
        raw += b"PK\3\4" + common + sizes + lengths + encoded + packed
    listed = b"".join(reversed(directory))
    return (
        raw
        + listed
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(directory), len(directory), len(listed), len(raw), 0)
    )
