"""Formulas whose values were not saved with them: what a program that computes nothing leaves in a workbook."""

from __future__ import annotations

import re

from shared.sources.excel_cells import Cell, attribute_of
from shared.sources.excel_region import Region
from shared.sources.excel_sheet import SheetXml
from shared.sources.excel_zips import shown_rows

_SAVED = re.compile(rb"<(?:[\w.-]+:)?v(?:\s[^<>]*)?>[^<]")


def unsaved_notes(region: Region, xml: SheetXml) -> list[str]:
    """What a person should know of formulas without a value among the orders: a sentence for each column."""
    if not xml.has_formulas:
        return []
    names = {at + 1: name for at, name in zip(region.header.positions, region.header.columns, strict=True)}
    found: dict[str, list[int]] = {}
    for row in xml.rows:
        if region.has_row(row.number) and xml.has_formula(row):
            for cell in xml.cells(row):
                if cell.column in names and cell.formula and not _is_saved(cell):
                    found.setdefault(names[cell.column], []).append(row.number)
    return [
        f"Column {name} has formulas whose values were not saved, in {shown_rows(rows)}; they count as empty. Open the"
        " workbook in a spreadsheet program and save it."
        for name, rows in found.items()
    ]


def _is_saved(cell: Cell) -> bool:
    # The value of a formula that gives a text may be empty; one of any other kind never is.
    return attribute_of(cell.attributes, b"t") == b"str" or _SAVED.search(cell.content) is not None
