"""A report in a terminal; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.rendering.jobs import job_summary
from services.cli.reports.sections import Cell, Section, sections_of
from shared.contracts.report import ReportDocument

_MOST = 20
# The summary above them says it.
_TOLD_ABOVE = frozenset({"Rows", "Write-back"})


def report_lines(report: ReportDocument) -> Iterator[RenderableType]:
    """How the job stands, then each section."""
    yield job_summary(report.job)
    for section in sections_of(report):
        if section.title not in _TOLD_ABOVE:
            yield ""
            yield Text(section.title, style="bold")
            if section.rows:
                yield _table(section)
            if len(section.rows) > _MOST:
                yield Text(f"… and {len(section.rows) - _MOST:,} more, all with --out", style="dim")
            if section.remark:
                yield Text(section.remark)


def _table(section: Section) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for place, header in enumerate(section.headers):
        is_figure = all(isinstance(row[place], int | Decimal) for row in section.rows)
        table.add_column(header, justify="right" if is_figure else "left", overflow="fold")
    for row in section.rows[:_MOST]:
        table.add_row(*map(written, row))
    if section.total is not None:
        table.add_row(*map(written, section.total), style="bold")
    return table


def written(cell: Cell) -> str:
    """A cell as a person reads it: amounts with two decimals, groups of thousands."""
    match cell:
        case None:
            return ""
        case Decimal():
            return f"{cell:,.2f}"
        case int():
            return f"{cell:,}"
        case _:
            return cell
