"""Workbooks made for tests: by hand, part by part, and by the libraries that people's programs use."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
NAMES = ["order", "name", "state", "zip", "weight"]
ORDERS: list[list[str | float | None]] = [
    [*NAMES],
    ["A1", "Ada", "CA", "01002", 5],
    ["A2", "Ben", "NY", "10001", 25],
    ["A3", "Cy", "CA", "90210", 1.5],
]


def package(parts: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 2, 29, 12, 30, 14)), content, method)
    return buffer.getvalue()


def parts_of(raw: bytes) -> dict[str, bytes]:
    """What is in a zip archive."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_parts(raw: bytes, parts: Mapping[str, bytes | str | None]) -> bytes:
    """A workbook with some of its parts replaced or added; None takes one away."""
    changed = {**parts_of(raw), **parts}
    return package({name: content for name, content in changed.items() if content is not None})


def cell(column: str, row: int, value: str | float) -> str:
    """A cell as XML, its text in place."""
    if isinstance(value, str):
        return f'<c r="{column}{row}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{column}{row}"><v>{value}</v></c>'


def rows_xml(rows: Sequence[Sequence[str | float | None]], first: int = 1) -> str:
    """Rows as XML; None is no cell."""
    return "".join(
        f'<row r="{number}">'
        + "".join(cell(chr(65 + index), number, value) for index, value in enumerate(row) if value is not None)
        + "</row>"
        for number, row in enumerate(rows, start=first)
    )


def sheet_xml(data: str, before: str = "", after: str = "", root: str = f'xmlns="{MAIN}" xmlns:r="{RELATIONS}"') -> str:
    """A worksheet around rows."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<worksheet {root}>{before}<sheetData>{data}</sheetData>{after}</worksheet>"
    )


def by_hand(*sheets: tuple[str, str], more: Mapping[str, bytes | str] | None = None) -> bytes:
    """A workbook of named sheets, each as XML."""
    numbered = list(enumerate(sheets, start=1))
    names = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, (name, _) in numbered)
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, _ in numbered
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for n, _ in numbered
    )
    return package(
        {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Default Extension="xml" ContentType="application/xml"/>'
                '<Override PartName="/xl/workbook.xml" ContentType='
                '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
                f"{overrides}</Types>"
            ),
            "_rels/.rels": relationships(
                f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
            ),
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{names}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relationships(relations),
            **{f"xl/worksheets/sheet{n}.xml": xml for n, (_, xml) in numbered},
            **(more or {}),
        }
    )


def relationships(inside: str) -> str:
    """A part of relationships."""
    return (
        f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>'
    )


def prefixed(xml: str) -> str:
    """A worksheet whose elements have the prefix x, as the Open XML SDK writes it."""
    names = "worksheet|sheetData|row|c|is|t|v|dimension|cols|col|pageMargins|extLst"
    return re.sub(rf"<(/?)(?=(?:{names})[ >/])", r"<\1x:", xml).replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


def plain(rows: Sequence[Sequence[str | float | None]] = ORDERS) -> bytes:
    """A hand-made workbook of one sheet."""
    return by_hand(("Orders", sheet_xml(rows_xml(rows))))


def by_xlsxwriter(rows: Sequence[Sequence[Any]], **options: Any) -> bytes:
    """The rows as XlsxWriter writes them."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as workbook:
        sheet = workbook.add_worksheet("Orders")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def by_openpyxl(rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows as openpyxl writes them."""
    workbook = openpyxl.Workbook()
    for row in rows:
        active_sheet(workbook).append(list(row))
    return saved(workbook)


def active_sheet(workbook: openpyxl.Workbook) -> Worksheet:
    """The worksheet that a workbook opens with: a new one's only sheet."""
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    return sheet


def saved(workbook: openpyxl.Workbook) -> bytes:
    """An openpyxl workbook's file."""
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()
