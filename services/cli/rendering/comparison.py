"""What a source's rows cost by each service, as a person reads it; pure: nothing here prints."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.rendering.jobs import plain_table
from services.cli.rendering.wording import amount_in_words, money, plural, service_name
from shared.contracts.documents import ComparisonDocument, ServiceCost
from shared.contracts.source import source_label


def comparison(document: ComparisonDocument) -> RenderableType:
    """A line a service, then the cheapest way and the present one."""
    return Group(
        Text(source_label(document.source), style="bold"),
        *([_table(document)] if document.services else []),
        Text(_in_total(document), style="bold"),
        *(Text(line) for line in _ways(document)),
        *(Text(line, style="dim") for line in (*_missing(document), *document.notes)),
    )


def _table(document: ComparisonDocument) -> RenderableType:
    table = plain_table("Service", right=("Rows", "Cost", "Days", "Last arrival"))
    for service in document.services:
        table.add_row(
            service_name(service.service),
            f"{service.rows:,} of {document.to_ship:,}",
            money(service.cost),
            _days(service),
            "-" if service.last_arrival is None else f"{service.last_arrival:%Y-%m-%d}",
        )
    return table


def _days(service: ServiceCost) -> str:
    if service.fewest_days is None or service.most_days is None:
        return "-"
    if service.fewest_days == service.most_days:
        return str(service.most_days)
    return f"{service.fewest_days}-{service.most_days}"


def _in_total(document: ComparisonDocument) -> str:
    skipped = f"; {plural(document.skipped, 'row')} skipped" if document.skipped else ""
    return f"{plural(document.to_ship, 'row')} to ship{skipped}"


def _ways(document: ComparisonDocument) -> list[str]:
    if not document.rated:
        return []
    ways = [f"Each row by its cheapest service: {amount_in_words(document.cheapest)} (--service cheapest)."]
    if document.own_rows == document.rated:
        ways.append(f"As the rows say: {amount_in_words(document.own)}.")
    elif document.own_rows:
        ways.append(f"{plural(document.own_rows, 'row')} by the services they name: {amount_in_words(document.own)}.")
    return ways


def _missing(document: ComparisonDocument) -> list[str]:
    lines = []
    if document.refused:
        lines.append(f"{plural(document.refused, 'row')} {_has(document.refused)} no service to go by.")
    if document.unrated:
        lines.append(f"{plural(document.unrated, 'row')} {_has(document.unrated)} no price; they are in none of these.")
    return [*lines, *(str(problem) for problem in document.problems)]


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
