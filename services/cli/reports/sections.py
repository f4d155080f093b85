"""A job's report as sections: tables with a remark, some with a chart; pure, the same wherever it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.cli.rendering.wording import amount_in_words, plural, service_name
from shared.contracts.documents import JobDocument
from shared.contracts.report import ReportDocument, ZoneCost
from shared.errors import ErrorBody
from shared.shipping import Money

Cell = str | int | Decimal | None

_UNTOLD = "not told"
_HUNDRED = 100


@dataclass(frozen=True)
class Chart:
    """Bars for each of a section's rows: its first column's names, and the figures of `columns`."""

    title: str
    columns: tuple[int, ...]


@dataclass(frozen=True)
class Section:
    """A table; `total` is its last line."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None
    remark: str = ""
    chart: Chart | None = None


def sections_of(report: ReportDocument) -> tuple[Section, ...]:
    """Everything that a report says but how the job stands; what there is nothing of is left out."""
    currency = report.job.cost.currency
    found = (
        _rows(report.job),
        _costs(
            "Cost by service",
            currency,
            report.costs,
            ("Service",),
            lambda cost: (service_name(cost.service),),
            remark=_remark(report.costs),
        ),
        _costs("Cost by zone", currency, _by_zone(report.costs), ("Zone",), lambda cost: (_zone(cost),)),
        _costs(
            "Cost by service and zone",
            currency,
            report.costs,
            ("Service", "Zone"),
            lambda cost: (service_name(cost.service), _zone(cost)),
            charted=False,
        ),
        _charges(report),
        _slowest(report),
        _unsettled(report),
        _write_back(report.job),
        _unwritten(report),
    )
    return tuple(section for section in found if section.rows or section.remark)


def _rows(job: JobDocument) -> Section:
    counts = job.rows
    states = {
        "shipped": counts.shipped,
        "being voided": counts.voiding,
        "voided": counts.voided,
        "failed": counts.failed,
        "in doubt": counts.in_doubt,
        "skipped": counts.skipped,
    }
    states["not sent"] = max(0, counts.total - sum(states.values()))
    return Section(
        "Rows",
        ("State", "Rows"),
        tuple((name, count) for name, count in states.items() if count),
        ("Total", counts.total),
    )


def _costs(
    title: str,
    currency: str,
    costs: Sequence[ZoneCost],
    names: tuple[str, ...],
    name: Callable[[ZoneCost], tuple[str, ...]],
    *,
    remark: str = "",
    charted: bool = True,
) -> Section:
    sums: defaultdict[tuple[str, ...], list[ZoneCost]] = defaultdict(list)
    for cost in costs:
        sums[name(cost)].append(cost)
    width = len(names)
    return Section(
        f"{title} ({currency})",
        (*names, "Rows", "Estimate", "Charge", "Difference"),
        tuple((*its, *_figures(summed)) for its, summed in sums.items()),
        ("Total", *[""] * (width - 1), *_figures(costs)) if len(sums) > 1 else None,
        remark,
        Chart(f"{title} ({currency})", (width + 1, width + 2)) if charted else None,
    )


def _figures(costs: Iterable[ZoneCost]) -> tuple[Cell, ...]:
    """Rows, estimate and charge of all, and the difference of what has both."""
    found = list(costs)
    estimate = sum((cost.estimate.amount for cost in found), Decimal(0))
    difference = sum((cost.charge.amount for cost in found), Decimal(0)) - estimate
    return sum(cost.rows for cost in found), estimate, sum((cost.cost.amount for cost in found), Decimal(0)), difference


def _remark(costs: Iterable[ZoneCost]) -> str:
    """What the figures leave out or have besides."""
    found = list(costs)
    others = sum(cost.second_labels for cost in found)
    unknown = sum(cost.without_cost for cost in found)
    unestimated = sum(cost.rows - cost.without_cost - cost.compared for cost in found)
    told = (
        (unestimated, f"{plural(unestimated, 'row')} without an estimate, which the difference leaves out"),
        (others, f"{plural(others, 'second label')} in the charge, not in the estimate"),
        (unknown, f"{plural(unknown, 'row')} whose charge is not known yet"),
    )
    return "; ".join(words for count, words in told if count)


def _by_zone(costs: Iterable[ZoneCost]) -> list[ZoneCost]:
    return sorted(costs, key=lambda cost: (not cost.zone, len(cost.zone), cost.zone))


def _zone(cost: ZoneCost) -> str:
    return cost.zone or _UNTOLD


def _charges(report: ReportDocument) -> Section:
    rows = tuple(
        (
            charged.row_number,
            charged.estimate.amount,
            charged.charge.amount,
            charged.charge.amount - charged.estimate.amount,
            "estimated by rows like it" if charged.estimated else "rated",
        )
        for charged in report.charges
    )
    return Section(
        "Estimate against charge",
        ("Row", "Estimate", "Charge", "Difference", "Estimate is"),
        rows,
        remark=_comparison(report),
    )


def _comparison(report: ReportDocument) -> str:
    compared = sum(cost.compared for cost in report.costs)
    if not compared:
        return ""
    currency = report.job.cost.currency
    estimate = Money(amount=sum((cost.estimate.amount for cost in report.costs), Decimal(0)), currency=currency)
    charge = Money(amount=sum((cost.charge.amount for cost in report.costs), Decimal(0)), currency=currency)
    share = (charge.amount - estimate.amount) / estimate.amount * _HUNDRED if estimate.amount else Decimal(0)
    return (
        f"{plural(compared, 'row')}: {amount_in_words(estimate)} estimated, {amount_in_words(charge)} charged"
        f" ({share:+.1f} %); {report.charged_more:,} charged more, {report.charged_less:,} less"
    )


def _slowest(report: ReportDocument) -> Section:
    remark = ""
    if report.timed:
        remark = f"{plural(report.timed, 'purchase')}: median {report.median_ms:,} ms, longest {report.longest_ms:,} ms"
    return Section(
        "Slowest rows",
        ("Row", "Attempt", "Milliseconds"),
        tuple((slow.row_number, slow.attempt, slow.carrier_ms) for slow in report.slowest),
        remark=remark,
        chart=Chart("Milliseconds that the carrier took", (2,)),
    )


def _unsettled(report: ReportDocument) -> Section:
    rows = tuple(
        (row.row_number, row.source_row, row.status.value.replace("_", " "), _reason(row.error))
        for row in report.unsettled
    )
    more = report.job.rows.failed + report.job.rows.in_doubt - len(rows)
    return Section("Failed and in doubt", ("Row", "Row of the source", "State", "Reason"), rows, remark=_and_more(more))


def _write_back(job: JobDocument) -> Section:
    states = {name.replace("_", " "): count for name, count in job.write_back.model_dump().items() if count}
    return Section("Write-back", ("State", "Rows"), tuple(states.items()))


def _unwritten(report: ReportDocument) -> Section:
    rows = tuple((row.row_number, row.source_row, _reason(row.error)) for row in report.unwritten)
    return Section(
        "Not written back",
        ("Row", "Row of the source", "Reason"),
        rows,
        remark=_and_more(report.job.write_back.failed - len(rows)),
    )


def _reason(error: ErrorBody | None) -> str:
    return "" if error is None else " ".join(f"{error.code} {error.message}".split())


def _and_more(count: int) -> str:
    return f"and {count:,} more" if count > 0 else ""


def flat(sections: Iterable[Section]) -> tuple[tuple[str, ...], Iterator[tuple[Cell, ...]]]:
    """Every section in one table: headers and rows, each with its section's name and the columns it has."""
    found = list(sections)
    headers = tuple(dict.fromkeys(header for section in found for header in section.headers))

    def cells() -> Iterator[tuple[Cell, ...]]:
        for section in found:
            for row in section.rows:
                its = dict(zip(section.headers, row, strict=True))
                yield (section.title, *(its.get(header) for header in headers))

    return ("Section", *headers), cells()
