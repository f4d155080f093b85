"""Where in a sheet tracking numbers go; and what forbids putting them there, asked before anything is bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.contracts.source import sidecar_name
from shared.errors import NOT_PATCHABLE, TallyError
from shared.sources.excel_orders import ExcelOrders
from shared.sources.excel_workbook import MAX_COLUMN, Area, column_letters, reason_not_to_change
from shared.sources.rows import TRACKING_COLUMNS


class UnsafeError(Exception):
    """Why a workbook is not to be written to, in words that follow "because"."""


@dataclass(frozen=True)
class Placement:
    """The column number, from 1, of each tracking column that is there, and of each that is to be added."""

    present: Mapping[str, int]
    added: Mapping[str, int]


def place_tracking(orders: ExcelOrders) -> Placement:
    """Where the tracking columns are or go: right after the last named column, or after everything on the sheet.

    Raises E-1025 where writing could harm the workbook.
    """
    label = orders.workbook.label
    try:
        return _placement(orders)
    except UnsafeError as error:
        raise TallyError(NOT_PATCHABLE, path=label, reason=str(error), sidecar=sidecar_name(label)) from error


def _placement(orders: ExcelOrders) -> Placement:
    region = orders.region
    if reason := reason_not_to_change(orders.workbook) or orders.xml.irregular:
        raise UnsafeError(reason)
    if any(each.kind == "queryTable" for each in region.sheet.relationships):
        raise UnsafeError("a query fills its sheet")
    if region.table is not None and region.table.outside:
        raise UnsafeError(f"its table {region.table.name} is filled from outside ({region.table.outside})")
    present = {column: position + 1 for column, position in region.header.tracking.items()}
    _expect_plain_cells(orders, present)
    missing = [column for column in TRACKING_COLUMNS if column not in present]
    first = _first_free(orders, len(missing))
    if first + len(missing) - 1 > MAX_COLUMN:
        raise UnsafeError("no column of its sheet is free")
    return Placement(present, {column: first + index for index, column in enumerate(missing)})


def _expect_plain_cells(orders: ExcelOrders, present: Mapping[str, int]) -> None:
    """The tracking columns hold no formula, and no cell that is part of another."""
    xml, region = orders.xml, orders.region
    for name, column in present.items():
        if any(area.has_column(column) and area.bottom > region.header_row for area in xml.merged):
            raise UnsafeError(f"column {name} has merged cells")
    if not present or not xml.has_formulas:
        return
    names = {column: name for name, column in present.items()}
    for row in xml.rows:
        for cell in xml.cells(row) if xml.has_formula(row) else ():
            if not cell.formula:
                continue
            if row.number > region.header_row and cell.column in names:
                raise UnsafeError(f"column {names[cell.column]} has formulas")
            area = cell.filled_area
            if area and any(area.has_column(column) and area.bottom > region.header_row for column in names):
                raise UnsafeError(
                    f"a formula in {column_letters(cell.column or 0)}{row.number} fills a tracking column"
                )


def _first_free(orders: ExcelOrders, count: int) -> int:
    """The first of `count` columns side by side that hold nothing beside or below the header."""
    region = orders.region
    table = region.table
    first = (region.header.positions[-1] + 1 if table is None else table.area.right) + 1
    bottom = orders.xml.rows[-1].number if table is None else table.area.bottom
    wanted = Area(region.header_row, first, bottom, first + count - 1)
    taken = set(_taken_from(orders, wanted))
    if not any(wanted.has_column(column) for column in taken):
        return first
    if table is not None:
        raise UnsafeError(f"the columns beside its table {table.name} are not free")
    return max(taken) + 1


def _taken_from(orders: ExcelOrders, wanted: Area) -> Iterator[int]:
    """The columns, from the first wanted on, that hold something in the rows wanted."""
    xml = orders.xml
    for row in xml.rows:
        if row.last >= wanted.left and wanted.has_row(row.number):
            yield from (
                cell.column
                for cell in xml.cells(row)
                if cell.content and (cell.column or 0) >= wanted.left and cell.column
            )
    areas = xml.merged + [table.area for table in orders.region.sheet.tables if table != orders.region.table]
    for area in areas:
        if area.bottom >= wanted.top and area.top <= wanted.bottom and area.right >= wanted.left:
            yield from range(max(area.left, wanted.left), area.right + 1)
