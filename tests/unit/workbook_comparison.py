"""Two states of a workbook compared: all but the tracking cells is to be the same, byte by byte where it can be."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
from python_calamine import CalamineWorkbook

from shared.sources.excel_orders import read_orders
from shared.sources.excel_package import open_package
from shared.sources.excel_placement import place_tracking
from shared.sources.excel_workbook import column_number

Cells = dict[tuple[int, int], Any]


def entries_of(raw: bytes) -> dict[str, tuple[bytes, tuple[object, ...]]]:
    """Of every entry of an archive, in order: its bytes as packed, header included, and what is noted of it."""
    package = open_package(raw, "x")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        return {
            info.filename: (
                raw[package.entries[info.filename.lower()].offset : package.entries[info.filename.lower()].end],
                (info.date_time, info.flag_bits, info.extra, info.comment, info.external_attr, info.create_version),
            )
            for info in archive.infolist()
        }


def changed_parts(before: bytes, after: bytes) -> set[str]:
    """The parts that differ in any byte; that the archive's order and comment are the same is asserted."""
    old, new = entries_of(before), entries_of(after)
    assert list(old) == list(new)
    with zipfile.ZipFile(io.BytesIO(before)) as one, zipfile.ZipFile(io.BytesIO(after)) as other:
        assert one.comment == other.comment
        assert [info.date_time for info in one.infolist()] == [info.date_time for info in other.infolist()]
    return {name for name in old if old[name] != new[name]}


def assert_only_tracking_changed(before: bytes, after: bytes, sheet: str | None = None) -> None:
    """Nothing of the workbook differs but tracking cells of the one sheet, and what has to go with them."""
    orders = read_orders(before, sheet, "x")
    placement = place_tracking(orders)
    columns = {*placement.present.values(), *placement.added.values()}
    part, table = orders.region.sheet.part, orders.region.table
    allowed = {part} | ({table.part} if table and placement.added else set())
    assert {name.lower() for name in changed_parts(before, after)} <= allowed
    old, new = (open_package(raw, "x").read(part) for raw in (before, after))
    assert _without(old, columns) == _without(new, columns)
    assert _tail(old) == _tail(new).replace(b'<sheetCalcPr fullCalcOnLoad="1"/>', b"", 1)
    assert _root(old) == _root(new)
    changed = {(row, column) for (row, column), _ in _differences(openpyxl_cells(before), openpyxl_cells(after))}
    assert {column for _, column in changed} <= columns
    assert calamine_cells(after) == {
        **calamine_cells(before),
        **{place: value for place, value in calamine_cells(after).items() if place[1] in columns},
    }


def openpyxl_cells(raw: bytes) -> Cells:
    """The values of the first shown sheet as openpyxl reads them; none of a strict workbook, which it does not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl would lose, were it to save
        book = openpyxl.load_workbook(io.BytesIO(raw))
    shown = next((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), None)
    if shown is None:
        return {}
    return {
        (cell.row, cell.column): getattr(cell.value, "text", cell.value)
        for row in shown.iter_rows()
        for cell in row
        if cell.value is not None
    }


def calamine_cells(raw: bytes) -> Cells:
    """The values of the first shown sheet as calamine reads them."""
    orders = read_orders(raw, None, "x")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_name(orders.region.sheet.name)
    return {
        (row, column): value
        for row, values in enumerate(rows.to_python(skip_empty_area=False), start=1)
        for column, value in enumerate(values, start=1)
        if value != ""
    }


def _differences(before: Cells, after: Cells) -> Iterable[tuple[tuple[int, int], Any]]:
    return ((place, after.get(place)) for place in {**before, **after} if before.get(place) != after.get(place))


def _without(xml: bytes, columns: set[int]) -> str:
    """A sheet as canonical XML, less its tracking cells, its dimension, its notes of columns, and a recalculation."""
    root = ET.fromstring(xml)
    space = root.tag[: root.tag.index("}") + 1]
    for name in ("dimension", "sheetCalcPr"):
        for element in root.findall(f"{space}{name}"):
            root.remove(element)
    for row in root.iter(f"{space}row"):
        row.attrib.pop("spans", None)
        for cell in row.findall(f"{space}c"):
            match = re.match("[A-Z]+", cell.get("r", ""))
            if match and column_number(match[0]) in columns:
                row.remove(cell)
    return ET.canonicalize(ET.tostring(root))


def _tail(xml: bytes) -> bytes:
    return xml[xml.rindex(b"</", 0, _end(rb"</(?:\w+:)?sheetData", xml)) :]


def _root(xml: bytes) -> bytes:
    return xml[: _end(rb"<(?:\w+:)?worksheet[^>]*>", xml)]


def _end(pattern: bytes, xml: bytes) -> int:
    found = re.search(pattern, xml)
    assert found is not None
    return found.end()
