"""What a job's report is made of: sums by the database where it counts, exact ones where it would add money up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Float, Row, String, cast, func, select

from services.coordinator.database.queries import show_job
from services.coordinator.database.tables import attempts, rows, second_labels
from shared.contracts.report import (
    ChargedRow,
    ReportDocument,
    SlowRow,
    UnsettledRow,
    UnwrittenRow,
    ZoneCost,
)
from shared.contracts.states import RowStatus, WriteBackStatus
from shared.errors import ErrorBody
from shared.shipping import Money

_LISTED = 10
_LISTED_OPEN = 100
_VOIDED = RowStatus.VOIDED.value
_LIVE = (RowStatus.SHIPPED.value, RowStatus.VOIDING.value)
_CENT = Decimal("0.01")
# Good enough to put rows in an order; SQLite holds amounts as text.
_DIFFERENCE = cast(rows.c.cost_amount, Float) - cast(rows.c.estimate_amount, Float)


@dataclass
class _Sum:
    """What adds up by one service in one zone."""

    rows: int = 0
    second_labels: int = 0
    without_cost: int = 0
    cost: Decimal = Decimal(0)
    compared: int = 0
    estimate: Decimal = Decimal(0)
    charge: Decimal = Decimal(0)
    more: int = 0
    less: int = 0


def show_report(connection: Connection, job_id: str) -> ReportDocument:
    """A job's report. Raises E-4003."""
    job = show_job(connection, job_id)
    sums = _sums(connection, job_id)
    timed, median, longest = _carrier_times(connection, job_id)
    return ReportDocument(
        job=job,
        costs=tuple(_zone_cost(place, found, job.cost.currency) for place, found in sorted(sums.items())),
        charged_more=sum(found.more for found in sums.values()),
        charged_less=sum(found.less for found in sums.values()),
        charges=tuple(_charges(connection, job_id)),
        timed=timed,
        median_ms=median,
        longest_ms=longest,
        slowest=tuple(_slowest(connection, job_id)),
        unsettled=tuple(_unsettled(connection, job_id)),
        unwritten=tuple(_unwritten(connection, job_id)),
    )


def _sums(connection: Connection, job_id: str) -> dict[tuple[str, str], _Sum]:
    """By service and zone. Few distinct amounts come back, which are added up here, exactly."""
    sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    amounts = (cast(rows.c.cost_amount, String), cast(rows.c.estimate_amount, String))
    found = connection.execute(
        select(
            rows.c.service, rows.c.zone, amounts[0].label("cost"), amounts[1].label("estimate"), func.count().label("n")
        )
        .where(rows.c.job_id == job_id, rows.c.status.in_(_LIVE))
        .group_by(rows.c.service, rows.c.zone, *amounts)
    )
    for group in found:
        _add(sums[group.service, group.zone], group)
    others = connection.execute(
        select(rows.c.service, rows.c.zone, second_labels.c.cost_amount)
        .join(rows, (rows.c.job_id == second_labels.c.job_id) & (rows.c.row_number == second_labels.c.row_number))
        .where(second_labels.c.job_id == job_id, second_labels.c.status != _VOIDED)
    )
    for other in others:
        its = sums[other.service, other.zone]
        its.second_labels += 1
        its.cost += other.cost_amount or 0
    return dict(sums)


def _add(its: _Sum, group: Row[Any]) -> None:
    its.rows += group.n
    if group.cost is None:
        its.without_cost += group.n
        return
    cost = Decimal(group.cost)
    its.cost += cost * group.n
    if group.estimate is None:
        return
    estimate = Decimal(group.estimate)
    its.compared += group.n
    its.estimate += estimate * group.n
    its.charge += cost * group.n
    its.more += group.n if cost > estimate else 0
    its.less += group.n if cost < estimate else 0


def _zone_cost(place: tuple[str, str], found: _Sum, currency: str) -> ZoneCost:
    def money(amount: Decimal) -> Money:
        return Money(amount=amount.quantize(_CENT), currency=currency)

    service, zone = place
    return ZoneCost(
        service=service,
        zone=zone,
        rows=found.rows,
        second_labels=found.second_labels,
        without_cost=found.without_cost,
        cost=money(found.cost),
        compared=found.compared,
        estimate=money(found.estimate),
        charge=money(found.charge),
    )


def _charges(connection: Connection, job_id: str) -> list[ChargedRow]:
    """The rows whose charge differs most from their estimate."""
    found = connection.execute(
        select(rows)
        .where(rows.c.job_id == job_id, rows.c.status.in_(_LIVE), rows.c.cost_amount != rows.c.estimate_amount)
        .order_by(func.abs(_DIFFERENCE).desc(), rows.c.row_number)
        .limit(_LISTED)
    )
    return [
        ChargedRow(
            row_number=row.row_number,
            estimate=Money(amount=row.estimate_amount, currency=row.estimate_currency),
            charge=Money(amount=row.cost_amount, currency=row.cost_currency),
            estimated=row.estimated,
        )
        for row in found
    ]


def _carrier_times(connection: Connection, job_id: str) -> tuple[int, int | None, int | None]:
    """How many purchases were timed, their median and their longest in milliseconds."""
    of_job = (attempts.c.job_id == job_id) & attempts.c.carrier_ms.is_not(None)
    count, longest = connection.execute(select(func.count(), func.max(attempts.c.carrier_ms)).where(of_job)).one()
    if not count:
        return 0, None, None
    middle = select(attempts.c.carrier_ms).where(of_job).order_by(attempts.c.carrier_ms).limit(1).offset(count // 2)
    return count, connection.execute(middle).scalar_one(), longest


def _slowest(connection: Connection, job_id: str) -> list[SlowRow]:
    found = connection.execute(
        select(attempts.c.row_number, attempts.c.attempt, attempts.c.carrier_ms)
        .where(attempts.c.job_id == job_id, attempts.c.carrier_ms.is_not(None))
        .order_by(attempts.c.carrier_ms.desc(), attempts.c.row_number)
        .limit(_LISTED)
    )
    return [SlowRow(row_number=row.row_number, attempt=row.attempt, carrier_ms=row.carrier_ms) for row in found]


def _unsettled(connection: Connection, job_id: str) -> list[UnsettledRow]:
    found = connection.execute(
        select(rows.c.row_number, rows.c.source_row, rows.c.status, rows.c.error)
        .where(rows.c.job_id == job_id, rows.c.status.in_((RowStatus.FAILED.value, RowStatus.IN_DOUBT.value)))
        .order_by(rows.c.row_number)
        .limit(_LISTED_OPEN)
    )
    return [
        UnsettledRow(
            row_number=row.row_number,
            source_row=row.source_row,
            status=RowStatus(row.status),
            error=_error(row.error),
        )
        for row in found
    ]


def _unwritten(connection: Connection, job_id: str) -> Sequence[UnwrittenRow]:
    found = connection.execute(
        select(rows.c.row_number, rows.c.source_row, rows.c.write_back_error)
        .where(rows.c.job_id == job_id, rows.c.write_back == WriteBackStatus.FAILED.value)
        .order_by(rows.c.row_number)
        .limit(_LISTED_OPEN)
    )
    return [
        UnwrittenRow(row_number=row.row_number, source_row=row.source_row, error=_error(row.write_back_error))
        for row in found
    ]


def _error(stored: dict[str, Any] | None) -> ErrorBody | None:
    return None if stored is None else ErrorBody.model_validate(stored)
