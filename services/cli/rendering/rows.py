"""Rows as a person reads them; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.rendering.jobs import facts
from services.cli.rendering.preview import price_in_words
from services.cli.rendering.refusals import problems_of
from services.cli.rendering.wording import moment, money, plural, service_name, state, without_repeats
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.ledger import Evidence
from shared.contracts.states import RowStatus


def row_details(row: RowDocument) -> RenderableType:
    """Everything that is known of a row, with the evidence of every look-up."""
    grid = facts()
    grid.add_row("Row", Text.assemble(f"{row.row_number} (row {row.source_row} of the source)  ", state(row.status)))
    grid.add_row("Recipient", Text("purged", "dim") if row.purged else Text(f"{row.recipient}, {row.destination}"))
    grid.add_row("Service", service_name(row.service))
    grid.add_row("Reference", f"{row.reference} (attempt {row.attempt})")
    if row.tracking_numbers:
        grid.add_row("Tracking", Text(", ".join(row.tracking_numbers)))
    for label in row.second_labels:
        grid.add_row("Second label", Text.assemble(", ".join(label.tracking_numbers), "  ", state(label.status)))
    grid.add_row("Cost", f"{money(row.cost)} (estimate {price_in_words(row.estimate, estimated=row.estimated)})")
    if row.label is not None:
        keys = "\n".join(row.label.keys) or row.label.key or "-"
        grid.add_row("Label", Text("due: it is fetched later" if row.label.due else keys))
        if row.label.invoice is not None:
            grid.add_row("Invoice", Text(row.label.invoice))
    if row.shipped_at is not None:
        grid.add_row("Shipped", moment(row.shipped_at))
    grid.add_row("Write-back", state(row.write_back.status))
    for warning in row.warnings:
        grid.add_row("Warning", Text(str(warning), style="yellow"))
    for error in (row.error, row.write_back.error):
        for problem in () if error is None else problems_of(error):
            grid.add_row("Error", Text(str(problem), style="red"))
    for line in evidence_lines(row.evidence):
        grid.add_row("Evidence", Text(line))
    return grid


def evidence_lines(evidence: Iterable[Evidence]) -> Iterator[str]:
    """A line for each look-up; look-ups in a row that had the same answer share one."""
    for (asked, answer), run in groupby(evidence, key=lambda item: (item.asked, without_repeats(item.answer))):
        first, *rest = run
        until = f" to {moment(rest[-1].at)}, {1 + len(rest):,} times," if rest else ""
        yield f"{moment(first.at)}{until} {asked}: {answer}"


def rows_table(rows: Iterable[RowDocument], *, estimated: bool = False) -> RenderableType:
    """Rows, a line each, with what was charged, or where `estimated` with what pending rows are expected to cost."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("#", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Recipient")
    table.add_column("Tracking number", no_wrap=True)
    table.add_column("Est. Cost" if estimated else "Cost", justify="right", no_wrap=True)
    table.add_column("Write-back or reason", min_width=len("Write-back"))
    for row in rows:
        table.add_row(
            str(row.row_number),
            state(row.status),
            Text("purged", "dim") if row.purged else _cut(row.recipient),
            Text(_first_number(row.tracking_numbers)),
            cost_or_estimate(row, estimated=estimated),
            _cut(write_back_or_reason(row)),
        )
    return table


def _first_number(numbers: Sequence[str]) -> str:
    """The first parcel's number, and how many more there are: all of them would leave no room for anything else."""
    if not numbers:
        return "-"
    return numbers[0] if len(numbers) == 1 else f"{numbers[0]} +{len(numbers) - 1}"


def cost_or_estimate(row: RowDocument, *, estimated: bool) -> str:
    """What the row was charged, or where `estimated` what a pending one is expected to cost; else a dash."""
    if estimated and row.status is RowStatus.PENDING:
        return price_in_words(row.estimate, estimated=row.estimated)
    return money(row.cost)


def write_back_or_reason(row: RowDocument) -> str:
    """Why the row is not shipped or not written back where there is a reason, else how far its write-back is."""
    error = row.error or row.write_back.error
    if error is not None:
        code = "" if row.status is RowStatus.SKIPPED else f"{error.code} "
        return " ".join(f"{code}{error.message}".split())
    return row.write_back.status.value if row.tracking_numbers else "-"


def failed_write_backs(job: JobDocument, first: Sequence[RowDocument]) -> RenderableType:
    """Which rows' write-back failed, from the `first` of them, and each cause there is."""
    numbers = ", ".join(str(row.row_number) for row in first)
    more = job.write_back.failed - len(first)
    rest = f" … and {more:,} more" if more > 0 else ""
    told = [
        Text(f"{plural(job.write_back.failed, 'row')} shipped but not written back: {numbers}{rest}", style="yellow")
    ]
    causes = dict.fromkeys(str(row.write_back.error) for row in first if row.write_back.error is not None)
    told += [Text(cause, style="red") for cause in causes]
    return Group(*told)


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
