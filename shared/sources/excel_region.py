"""Where on a sheet the orders are: the header row, found, and the columns under it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.errors import HEADER_REFUSED, SHEET_AMBIGUOUS, SOURCE_EMPTY, TallyError
from shared.sources.excel_sheet import SheetXml
from shared.sources.excel_values import Value, text_of
from shared.sources.excel_workbook import Sheet, Table, column_letters
from shared.sources.header import Header, read_header

# The rows of a sheet from its first, each with its number and its values from column A on; begun anew at each call.
Grid = Callable[[], Iterator[tuple[int, Sequence[Value]]]]

_SAMPLE = 100  # rows looked at to tell the header
_WIDE_ENOUGH = 0.6  # of the widest row: a title above has fewer cells, a header may lack a name


@dataclass(frozen=True)
class Region:
    """The orders of a sheet. A position in `header` counts columns from A; `last_row` is None without a table."""

    sheet: Sheet
    header: Header
    header_row: int
    last_row: int | None
    table: Table | None

    def has_row(self, number: int) -> bool:
        """Whether a row of the sheet is one of the orders, or blank among them."""
        return number > self.header_row and (self.last_row is None or number <= self.last_row)

    def rows(self, grid: Grid) -> Iterator[tuple[int, list[Value]]]:
        """The data rows: the number of each in the sheet, and its values by column. Blank rows are left out."""
        positions = self.header.positions
        for number, values in grid():
            if number <= self.header_row:
                continue
            if self.last_row is not None and number > self.last_row:
                return
            width = len(values)
            row = [values[position] if position < width else "" for position in positions]
            if any(not isinstance(value, str) or value.strip() for value in row):
                yield number, row


def find_region(sheet: Sheet, xml: SheetXml, grid: Grid, wanted: str | None, label: str) -> Region:
    """Where the orders are on `sheet`, of which `wanted` may name a table.

    A table is taken where it is named, where the header of the orders is its own, or where most of the sheet is in it.
    Raises E-1003 (an empty sheet), E-1004 (duplicate names), E-1023 (several tables) or E-1024.
    """
    found = _header_row(grid)
    table = _table(sheet, xml, found, wanted, label)
    if table is not None and table.header_rows != 1:
        raise TallyError(HEADER_REFUSED, cell=_cell(table.area.left, table.area.top), path=label, reason="is hidden")
    header_row = found if table is None else table.area.top
    if header_row is None:
        raise TallyError(SOURCE_EMPTY, path=label, what=f"has nothing on {sheet.title}")
    values = next((values for number, values in grid() if number == header_row), ())
    texts = [text_of(value) for value in values]
    if table is not None:
        texts = [text if table.area.has_column(column) else "" for column, text in enumerate(texts, start=1)]
    header = read_header(texts, label, lambda position: _cell(position + 1, header_row))
    _expect_no_formula(header_row, table, xml, label)
    last_row = None if table is None else table.area.bottom - table.totals_rows
    return Region(sheet, header, header_row, last_row, table)


def _header_row(grid: Grid) -> int | None:
    """The number of the row that names the columns: the first that is nearly as wide as any, and no list of labels."""
    filled = ((number, [text for value in values if (text := text_of(value).strip())]) for number, values in grid())
    sample = list(islice(((number, texts) for number, texts in filled if texts), _SAMPLE))
    if not sample:
        return None
    enough = _WIDE_ENOUGH * max(len(texts) for _, texts in sample)
    wide = [(number, texts) for number, texts in sample if len(texts) >= enough]
    return next((number for number, texts in wide if not _is_label_and_value(texts)), wide[0][0])


def _is_label_and_value(texts: list[str]) -> bool:
    """Whether a row says things such as `Exported on: 2026-11-21`."""
    labels = sum(text.endswith(":") for text in texts)
    return labels < len(texts) <= 2 * labels


def _table(sheet: Sheet, xml: SheetXml, header_row: int | None, wanted: str | None, label: str) -> Table | None:
    tables = sheet.tables
    if wanted is not None and wanted.casefold() != sheet.name.casefold():
        return next(table for table in tables if table.name.casefold() == wanted.casefold())
    headed = [table for table in tables if table.area.top == header_row]
    if len(headed) == 1:
        return headed[0]
    if len(tables) == 1:
        (table,) = tables
        inside = sum(table.area.has_row(row.number) for row in xml.rows if row.last)
        return table if 2 * inside >= sum(1 for row in xml.rows if row.last) else None
    if tables:
        names = ", ".join(table.name for table in tables)
        raise TallyError(SHEET_AMBIGUOUS, sheet=sheet.name, path=label, names=names)
    return None


def _expect_no_formula(header_row: int, table: Table | None, xml: SheetXml, label: str) -> None:
    """Raise E-1024 for a formula in the header, whether its value was saved with it or not."""
    for row in xml.rows:
        if row.number != header_row:
            continue
        for cell in xml.cells(row):
            column = cell.column or 0
            if cell.formula and (table is None or table.area.has_column(column)):
                raise TallyError(HEADER_REFUSED, cell=_cell(column, header_row), path=label, reason="is a formula")


def _cell(column: int, row: int) -> str:
    return f"{column_letters(column)}{row}"
