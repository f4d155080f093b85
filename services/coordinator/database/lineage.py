"""Which job did another's work over: the jobs before a restart with their numbers, and who shipped an order since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.coordinator import states
from services.coordinator.database.statements import AnyRow
from services.coordinator.database.tables import jobs, reservations, rows
from shared.contracts.documents import ShippedBefore
from shared.contracts.states import RowStatus

_AT_ONCE = 500


@dataclass(frozen=True)
class ShippedSince:
    """The row of another job that shipped an order after a row that shipped it first: its number is the order's."""

    job_id: str
    row_number: int
    number: str


def ancestors(connection: Connection, restart_of: str | None) -> frozenset[str]:
    """The jobs whose shipped rows a job with `restart_of` may ship again."""
    found: set[str] = set()
    while restart_of is not None and restart_of not in found:
        found.add(restart_of)
        restart_of = connection.execute(select(jobs.c.restart_of).where(jobs.c.job_id == restart_of)).scalar()
    return frozenset(found)


def numbers_sold(connection: Connection, restart_of: str) -> dict[str, ShippedBefore]:
    """Every tracking number that the jobs before a restart sold, voided ones too, with the row that it was sold for."""
    found = connection.execute(
        select(rows.c.job_id, rows.c.row_number, rows.c.tracking_numbers).where(
            rows.c.job_id.in_(ancestors(connection, restart_of)),
            rows.c.status.in_([RowStatus.SHIPPED.value, RowStatus.VOIDED.value]),
        )
    )
    return {number: shipped_before(row) for row in found for number in row.tracking_numbers}


def shipped_before(row: AnyRow) -> ShippedBefore:
    """The shipped row of an earlier job, as later jobs tell of it."""
    return ShippedBefore(job_id=row.job_id, row_number=row.row_number, tracking_numbers=row.tracking_numbers)


def shipped_since(connection: Connection, job_id: str, row_numbers: Sequence[int]) -> dict[int, ShippedSince]:
    """Those of a job's rows, by number, whose orders another job has shipped since, each with that job's row.

    It reserved them: with reship, as a restart, or after a void. Where its label is voided as well, the order's number
    is again the one of the row that shipped it before.
    """
    later = rows.alias()
    query = (
        select(rows.c.row_number, later.c.job_id, later.c.row_number.label("later_row"), later.c.tracking_numbers)
        .join(reservations, reservations.c.reservation_key == rows.c.reservation_key)
        .join(later, (later.c.job_id == reservations.c.job_id) & (later.c.row_number == reservations.c.row_number))
        .where(rows.c.job_id == job_id, reservations.c.job_id != job_id, later.c.status.in_(states.LABELLED_ROWS))
    )
    found: dict[int, ShippedSince] = {}
    for start in range(0, len(row_numbers), _AT_ONCE):
        some = row_numbers[start : start + _AT_ONCE]
        for row in connection.execute(query.where(rows.c.row_number.in_(some))):
            found[row.row_number] = ShippedSince(row.job_id, row.later_row, row.tracking_numbers[0])
    return found
