"""The job database in figures, for whoever watches the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from services.coordinator.database.tables import jobs, rows
from services.coordinator.database.types import UtcDateTime
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus


def _written(status: StrEnum) -> BindParameter[str]:
    """A state, written into the statement: else no database can tell that the index of those rows alone will do."""
    return bindparam(None, status.value, literal_execute=True)


_OPEN = {
    status: select(func.count()).select_from(rows).where(rows.c.status == _written(status))
    for status in (RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING)
}
_JOBS = select(jobs.c.status, func.count()).group_by(jobs.c.status)
_WRITE_BACKS = select(func.count(), func.min(rows.c.write_back_at, type_=UtcDateTime())).where(
    rows.c.write_back == _written(WriteBackStatus.DUE)
)
_LABELS = select(func.count()).select_from(rows).where(rows.c.label_due)
# A row is put in flight by the transaction that settles the one before.
_MOVED_AT = (
    select(func.min(func.coalesce(rows.c.in_flight_at, jobs.c.started_at), type_=UtcDateTime()))
    .select_from(jobs)
    .outerjoin(rows, (rows.c.job_id == jobs.c.job_id) & (rows.c.status == _written(RowStatus.IN_FLIGHT)))
    .where(jobs.c.status == JobStatus.RUNNING.value, jobs.c.cursor < jobs.c.total)
)


@dataclass(frozen=True)
class Figures:
    """How many jobs and rows are in a state, and since when the oldest of them waits (None: nothing waits)."""

    jobs: Mapping[JobStatus, int]
    open_rows: Mapping[RowStatus, int]
    labels_due: int
    write_backs_due: int
    oldest_write_back: datetime | None
    longest_still: datetime | None


def figures(connection: Connection) -> Figures:
    """Read them; each is answered by an index in which only what waits is, or by one entry for each job."""
    counted: dict[str, int] = dict(iter(connection.execute(_JOBS)))
    open_rows = {status: connection.execute(query).scalar_one() for status, query in _OPEN.items()}
    due, oldest = connection.execute(_WRITE_BACKS).one()
    return Figures(
        jobs={status: counted.get(status.value, 0) for status in JobStatus},
        open_rows=open_rows,
        labels_due=connection.execute(_LABELS).scalar_one(),
        write_backs_due=due,
        oldest_write_back=oldest,
        longest_still=connection.execute(_MOVED_AT).scalar_one(),
    )
