"""The orders in an Excel workbook: the cached values of a sheet, read by calamine, as texts.

What calamine is given has passed the checks of excel_package.py, excel_sheet.py and excel_strings.py: it holds the
rectangle around all filled cells in memory, so two cells in far corners or one long string in every cell would end the
process. Writing back reads through here too, so both tell rows apart by the same texts.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from shared.errors import NOT_WORKBOOK, WORKBOOK_TOO_LARGE, TallyError
from shared.sources.csv_records import MAX_RECORD
from shared.sources.excel_formulas import unsaved_notes
from shared.sources.excel_package import MAX_PACKAGE
from shared.sources.excel_region import Region, find_region
from shared.sources.excel_sheet import SheetXml, scan_sheet
from shared.sources.excel_strings import check_shared, shared_lengths
from shared.sources.excel_values import Value, text_of
from shared.sources.excel_workbook import Workbook, open_workbook
from shared.sources.excel_xml import check_large
from shared.sources.excel_zips import ZipColumns
from shared.sources.files import TRIES, open_real, settled_version, unreadable, unsteady, version_of

_STRINGS, _STYLES = "xl/sharedStrings.xml", "xl/styles.xml"


@dataclass(frozen=True)
class ExcelOrders:
    """The orders of a sheet, read and taken apart: `xml` is the sheet they are on, `region` where on it."""

    workbook: Workbook
    xml: SheetXml
    region: Region
    _sheet: CalamineSheet = field(repr=False)
    _zips: ZipColumns = field(repr=False)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The data rows in order: the number of each in the sheet, and its texts by column. Raises E-1021."""
        for number, values in self.region.rows(lambda: _grid(self._sheet)):
            texts = [text_of(value) for value in values]
            if sum(map(len, texts)) > MAX_RECORD:
                reason = f"row {number} has more than {MAX_RECORD} characters"
                raise TallyError(WORKBOOK_TOO_LARGE, path=self.workbook.label, reason=reason)
            self._zips.restore(number, values, texts)
            yield number, texts

    def notes(self) -> list[str]:
        """What a person should know of how it was read; whole after the last row."""
        table, sheet, row = self.region.table, self.region.sheet.name, self.region.header_row
        place = f"table {table.name} on sheet {sheet}" if table else f"sheet {sheet}"
        is_plain = table is None and row == 1 and len(self.workbook.names) == 1
        read = [] if is_plain else [f"Read from {place}, its header in row {row}."]
        return read + self._zips.notes() + unsaved_notes(self.region, self.xml)


def read_orders(raw: bytes, wanted: str | None, label: str) -> ExcelOrders:
    """The orders in a workbook's bytes, on the sheet or in the table `wanted`, or on the first sheet.

    Raises E-1003, E-1004 or E-1020 to E-1024.
    """
    workbook = open_workbook(raw, label)
    sheet = workbook.sheet(wanted)
    xml = scan_sheet(workbook.package.read(sheet.part), sheet.part, label)
    if _STRINGS in workbook.package:
        check_shared(xml, shared_lengths(workbook.package.read(_STRINGS), _STRINGS, label), label)
    if _STYLES in workbook.package:
        check_large(workbook.package.read(_STYLES), _STYLES, label)
    read = _read_sheet(raw, sheet.name, label)
    region = find_region(sheet, xml, lambda: _grid(read), wanted, label)
    return ExcelOrders(workbook, xml, region, read, ZipColumns(region.header.columns))


def sheet_name(path: Path, wanted: str | None, label: str) -> str:
    """The name of the sheet or table that `wanted` means, as the workbook spells it. Raises as `open_excel` does."""
    workbook = open_workbook(read_workbook(path, label), label)
    sheet = workbook.sheet(wanted)
    if wanted is None or wanted.casefold() == sheet.name.casefold():
        return sheet.name
    return next(table.name for table in sheet.tables if table.name.casefold() == wanted.casefold())


def read_workbook(path: Path, label: str) -> bytes:
    """A workbook's bytes, as they were at one moment. Raises E-1002 or E-1021."""
    try:
        with open_real(path) as file:
            for _ in range(TRIES):
                version = settled_version(file, label)
                if version[0] > MAX_PACKAGE:
                    reason = f"it has more than {MAX_PACKAGE >> 20} MiB"
                    raise TallyError(WORKBOOK_TOO_LARGE, path=label, reason=reason)
                file.seek(0)
                raw = file.read(MAX_PACKAGE + 1)
                if version_of(file) == version and len(raw) == version[0]:
                    return raw
    except OSError as error:
        raise unreadable(label, error) from error
    raise unsteady(label)


def _read_sheet(raw: bytes, name: str, label: str) -> CalamineSheet:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
            return workbook.get_sheet_by_name(name)
    except CalamineError as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else "it is damaged"
        raise TallyError(NOT_WORKBOOK, path=label, reason=reason) from error


def _grid(sheet: CalamineSheet) -> Iterator[tuple[int, Sequence[Value]]]:
    """The rows of a sheet, from its first and from column A on."""
    if sheet.start is None:
        return
    before: list[Value] = [""] * sheet.start[1]
    for number, values in enumerate(sheet.iter_rows(), start=1):
        yield number, [*before, *values]
