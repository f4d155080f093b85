"""A job's rows while they are previewed: priced, their services chosen, what to warn of noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from services.coordinator.database.intake import of_intake
from services.coordinator.database.starting import note_skip
from services.coordinator.database.statements import SELECT_ROW, move_row
from services.coordinator.database.tables import jobs, rows
from services.coordinator.pricing.price import Price, cannot_ship
from shared.contracts.states import RowStatus
from shared.contracts.warning import RowWarning
from shared.errors import ErrorBody
from shared.shipping import Shipment

Warnings = tuple[int, tuple[RowWarning, ...]]


class RowToShip(NamedTuple):
    """A row that will ship; `is_priced` says that it has a price, or a reason for none."""

    row_number: int
    shipment: Shipment
    is_priced: bool


def rows_to_ship(
    connection: Connection, job_id: str, after: int, limit: int, *, unpriced_only: bool = False
) -> list[RowToShip]:
    """A page of the rows that will ship, or of those that have neither a price nor a reason for none."""
    query = (
        select(rows.c.row_number, rows.c.shipment, rows.c.estimate_amount, rows.c.error)
        .where(rows.c.job_id == job_id, rows.c.row_number > after, rows.c.status == RowStatus.PENDING.value)
        .order_by(rows.c.row_number)
        .limit(limit)
    )
    if unpriced_only:
        query = query.where(rows.c.estimate_amount.is_(None), rows.c.error.is_(None))
    return [
        RowToShip(
            row.row_number,
            Shipment.model_validate_json(row.shipment),
            row.estimate_amount is not None or row.error is not None,
        )
        for row in connection.execute(query)
    ]


_OF_ROW = (rows.c.job_id == bindparam("of_job")) & (rows.c.row_number == bindparam("of_row"))
_NOTE_PRICE = (
    update(rows)
    .where(_OF_ROW)
    .values(
        estimate_amount=bindparam("amount"),
        estimate_currency=bindparam("currency"),
        estimated=bindparam("by_others"),
        zone=bindparam("rate_zone"),
        error=bindparam("why_not"),
    )
)
_FIX_SERVICE = update(rows).where(_OF_ROW).values(service=bindparam("level"), shipment=bindparam("as_shipped"))
_NOTE_WARNINGS = update(rows).where(_OF_ROW).values(warnings=bindparam("all_warnings"))


def note_prices(
    connection: Connection, job_id: str, intake: str, prices: Sequence[tuple[int, Price]], now: datetime
) -> None:
    """Write rows' prices down, those without one with the reason; without any, note only that the intake goes on."""
    job = of_intake(connection, job_id, intake, now)
    _write_prices(connection, job_id, prices)
    job.close()


def fix_services(
    connection: Connection, job_id: str, intake: str, chosen: Sequence[tuple[RowToShip, Price]], now: datetime
) -> None:
    """Write down by which service rows go, and at what price: from here on that is what ships."""
    job = of_intake(connection, job_id, intake, now)
    fixed = [
        (row.row_number, row.shipment.model_copy(update={"service": price.service}))
        for row, price in chosen
        if price.service is not None
    ]
    if fixed:
        connection.execute(
            _FIX_SERVICE,
            [
                {
                    "of_job": job_id,
                    "of_row": row_number,
                    "level": shipment.service.value,
                    "as_shipped": shipment.model_dump_json(exclude_defaults=True),
                }
                for row_number, shipment in fixed
            ],
        )
    _write_prices(connection, job_id, [(row.row_number, price) for row, price in chosen])
    job.trail.add(
        "job.services_chosen",
        first=chosen[0][0].row_number,
        last=chosen[-1][0].row_number,
        services=dict(Counter(shipment.service.value for _, shipment in fixed)),
    )
    job.close()


def note_warnings(
    connection: Connection, job_id: str, intake: str, warnings: Sequence[Warnings], now: datetime
) -> None:
    """Add to what rows are warned of."""
    job = of_intake(connection, job_id, intake, now)
    numbers = [row_number for row_number, _ in warnings]
    known = connection.execute(
        select(rows.c.row_number, rows.c.warnings).where(rows.c.job_id == job_id, rows.c.row_number.in_(numbers))
    )
    before = {row.row_number: row.warnings or [] for row in known}
    connection.execute(
        _NOTE_WARNINGS,
        [
            {
                "of_job": job_id,
                "of_row": row_number,
                "all_warnings": [*before[row_number], *(warning.model_dump(mode="json") for warning in added)],
            }
            for row_number, added in warnings
        ],
    )
    job.close()


def refused_rows(connection: Connection, job_id: str) -> list[tuple[int, ErrorBody]]:
    """The rows that are to ship and, as the carrier says, cannot."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.error)
        .where(rows.c.job_id == job_id, rows.c.status == RowStatus.PENDING.value, rows.c.error.is_not(None))
        .order_by(rows.c.row_number)
    )
    errors = [(row.row_number, ErrorBody.model_validate(row.error)) for row in found]
    return [(number, error.model_copy(update={"row": number})) for number, error in errors if cannot_ship(error)]


def leave_out_refused(connection: Connection, job_id: str, intake: str, now: datetime) -> None:
    """Leave the rows out that cannot ship, as the carrier says; what it said stays with them."""
    job = of_intake(connection, job_id, intake, now)
    refused = refused_rows(connection, job_id)
    for number, error in refused:
        row = connection.execute(SELECT_ROW, {"job_id": job_id, "row_number": number}).one()
        move_row(job, row, RowStatus.SKIPPED, {"error": error.model_dump(mode="json")})
        note_skip(job, number, error, None)
    if refused:
        before = connection.execute(select(jobs.c.refused).where(jobs.c.job_id == job_id)).scalar_one()
        job.changes["refused"] = before + len(refused)
    job.close()


def add_notes(connection: Connection, job_id: str, intake: str, notes: Sequence[str], now: datetime) -> None:
    """Add to what is told of a job besides its rows."""
    job = of_intake(connection, job_id, intake, now)
    before = connection.execute(select(jobs.c.notes).where(jobs.c.job_id == job_id)).scalar_one()
    job.changes["notes"] = [*(before or []), *notes]
    job.close()


def _write_prices(connection: Connection, job_id: str, prices: Sequence[tuple[int, Price]]) -> None:
    if not prices:
        return
    connection.execute(
        _NOTE_PRICE,
        [
            {
                "of_job": job_id,
                "of_row": row_number,
                "amount": None if price.cost is None else price.cost.amount,
                "currency": None if price.cost is None else price.cost.currency,
                "by_others": price.estimated,
                "rate_zone": price.zone,
                "why_not": None if price.error is None else price.error.model_dump(mode="json"),
            }
            for row_number, price in prices
        ],
    )
