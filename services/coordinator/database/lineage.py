"""What a job does over: the job that it restarts, the one that restarted, and so on; and the numbers of those."""

from __future__ import annotations

from sqlalchemy import Connection, select

from services.coordinator.database.statements import AnyRow
from services.coordinator.database.tables import jobs, rows
from shared.contracts.documents import ShippedBefore
from shared.contracts.states import RowStatus


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
