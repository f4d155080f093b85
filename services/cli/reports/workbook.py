"""A report as a workbook: a sheet for each section, with charts of Excel's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from services.cli.reports.sections import Cell, Section

_LONGEST_NAME = 31
_NO_NAME = re.compile(r"[\[\]:*?/\\]")
_WIDEST, _NARROWEST = 60, 8
_CHART_GAP = 1
_COLOURS = ("#9DB7D5", "#1F4E79")


def write_workbook(file: IO[bytes], facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> None:
    """Write a report: `facts` on the first sheet, then a sheet for each section. Texts are never taken for formulas."""
    workbook = xlsxwriter.Workbook(file)
    bold, amount = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "#,##0.00"})
    bold_amount = workbook.add_format({"bold": True, "num_format": "#,##0.00"})
    formats = {False: (None, amount), True: (bold, bold_amount)}
    front = workbook.add_worksheet("Report")
    front.set_column(0, 0, max(len(name) for name, _ in facts) + 2)
    front.set_column(1, 1, _WIDEST)
    for number, (name, value) in enumerate(facts):
        front.write_string(number, 0, name, bold)
        front.write_string(number, 1, value)
    for section in sections:
        sheet = workbook.add_worksheet(_name(section))
        for place, header in enumerate(section.headers):
            sheet.write_string(0, place, header, bold)
            width = max(len(header), *(len(str(row[place] or "")) for row in section.rows), 0)
            sheet.set_column(place, place, min(max(width, _NARROWEST), _WIDEST) + 2)
        lines = [*section.rows, *([section.total] if section.total is not None else [])]
        for number, row in enumerate(lines, start=1):
            is_total = section.total is not None and number == len(lines)
            for place, cell in enumerate(row):
                _write(sheet, number, place, cell, *formats[is_total])
        if section.remark:
            sheet.write_string(len(lines) + 2, 0, section.remark)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        if section.chart is not None and section.rows:
            sheet.insert_chart(0, len(section.headers) + _CHART_GAP, _chart(workbook, section))
    workbook.close()


def _name(section: Section) -> str:
    """A sheet's name, as Excel allows it."""
    return _NO_NAME.sub("", section.title.partition(" (")[0])[:_LONGEST_NAME]


def _write(sheet: Any, line: int, place: int, cell: Cell, text: Any, amount: Any) -> None:
    if isinstance(cell, str):
        sheet.write_string(line, place, cell, text)
    elif cell is not None:
        sheet.write_number(line, place, cell, amount if isinstance(cell, Decimal) else text)


def _chart(workbook: Any, section: Section) -> Any:
    assert section.chart is not None
    name, last = _name(section), len(section.rows)
    chart = workbook.add_chart({"type": "bar"})
    for column, colour in zip(section.chart.columns, _COLOURS[-len(section.chart.columns) :], strict=True):
        chart.add_series(
            {
                "name": [name, 0, column],
                "categories": [name, 1, 0, last, 0],
                "values": [name, 1, column, last, column],
                "fill": {"color": colour},
            }
        )
    chart.set_title({"name": section.chart.title})
    # Bars grow upwards otherwise, the first row last.
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"none": True} if len(section.chart.columns) == 1 else {"position": "bottom"})
    return chart
