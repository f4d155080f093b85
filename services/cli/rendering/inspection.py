"""What a source is, and what would become of its orders, as a person reads it; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.rendering.jobs import facts
from services.cli.rendering.settled import settled_lines
from services.cli.rendering.shipment import shipment_facts
from services.cli.rendering.wording import plural
from shared.contracts.documents import InspectionDocument
from shared.contracts.source import source_label
from shared.errors import ErrorBody

_FACT_NAMES = {"encoding": "Encoding", "delimiter": "Delimiter", "quote": "Quote", "line_end": "Line end", "key": "Key"}


def inspection(found: InspectionDocument) -> RenderableType:
    """How a source is read, how it is mapped, its first shipment, and what would be refused."""
    grid = facts()
    grid.add_row("Source", Text(source_label(found.source)))
    for name, text in found.facts.items():
        grid.add_row(_FACT_NAMES.get(name, name), Text(text))
    grid.add_row("Rows", f"{found.rows:,}")
    grid.add_row("Columns", Text(", ".join(found.columns)))
    grid.add_row("Mapping", Text(_mapping(found)))
    for field, columns in found.fields.items():
        if columns:
            grid.add_row(f"  {field}", Text(", ".join(columns)))
    if found.order_column is not None:
        grid.add_row("One order", Text(f"rows with the same {found.order_column}"))
    if found.leaves_out_by:
        by = "; ".join(f"{reason} by {' or '.join(columns)}" for reason, columns in found.leaves_out_by.items())
        grid.add_row("Left out", Text(by))
    parts: list[RenderableType] = [grid]
    if found.first is not None:
        parts += [Text(), Text(f"First shipment (row {found.first_row})", style="bold"), shipment_facts(found.first)]
    parts += [Text(), _counts(found)]
    parts += [Text(line, style="red") for line in _refusals(found)]
    parts += [Text(note, style="dim") for note in (*settled_lines(found.settled), *_no_orders(found), *found.notes)]
    return Group(*parts)


def _mapping(found: InspectionDocument) -> str:
    reasons = {
        "headers": "picked by the headers",
        "generic": "the generic one: no profile has these headers",
        "name": "as named",
    }
    return f"{found.mapping} ({reasons[found.picked]})"


def _counts(found: InspectionDocument) -> Text:
    if found.error is not None:
        return Text("No row can be mapped.", style="bold")
    ready = found.total - found.skipped - found.refused
    text = Text(f"{plural(found.total, 'order')}: {ready:,} ready to ship", style="bold")
    others = ((found.skipped, "shipped already"), (found.refused, "refused"))
    for count, what in others:
        if count:
            text.append(f", {count:,} {what}")
    return text


def _no_orders(found: InspectionDocument) -> list[str]:
    count = found.left_out
    return [f"{plural(count, 'row')} {'is no order' if count == 1 else 'are no orders'}."] if count else []


def _refusals(found: InspectionDocument) -> Iterator[str]:
    """A line for each reason, and what to do about it."""
    for error in (found.error, found.not_writable):
        if error is not None:
            yield from _lines(error)
    for problem in found.problems:
        yield " ".join(str(problem).split())


def _lines(error: ErrorBody) -> Iterator[str]:
    yield " ".join(str(error).split())
    for detail in error.details:
        yield f"  {detail.message}"
