"""A job's source put back by a person: when that may be, and what the job then knows of its numbers."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath

from sqlalchemy import Connection, func, select, update

from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import rows
from services.coordinator.database.trail import JobTransaction
from shared.contracts.restoring import Restoration
from shared.contracts.source import Source
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import ILLEGAL_TRANSITION, TallyError

_NOT_YET = frozenset({JobStatus.PENDING, JobStatus.AWAITING_APPROVAL})


def restorable(connection: Connection, job_id: str, now: datetime) -> tuple[Source, int]:
    """The source of a job that has no number under way to it, and how many it wrote.

    Raises E-4003, or E-4005 while it runs, or while a row is at the carrier or waits for its write-back.
    """
    return _restorable(JobTransaction.seen(connection, job_id, now))


def order_restore(connection: Connection, job_id: str, actor: str, now: datetime) -> tuple[Source, int]:
    """Note that a person wants the source put back; returns and raises as `restorable` does."""
    job = JobTransaction.open(connection, job_id, now)
    found = _restorable(job)
    job.trail.add("source.restore_ordered", actor=actor or "unknown")
    job.close()
    return found


def _restorable(job: JobTransaction) -> tuple[Source, int]:
    job.expect_kept("Restoring its source")
    if job.source is None or job.status in _NOT_YET:
        raise _refusal(job, f"{job.status}, it never wrote")
    if job.status is JobStatus.RUNNING:
        raise _refusal(job, job.status)
    moving = job.connection.execute(
        select(rows.c.row_number)
        .where(
            rows.c.job_id == job.job_id,
            (rows.c.status == RowStatus.IN_FLIGHT.value) | (rows.c.write_back == WriteBackStatus.DUE.value),
        )
        .order_by(rows.c.row_number)
        .limit(1)
    ).first()
    if moving is not None:
        raise _refusal(job, f"{job.status}, and the number of row {moving.row_number} is on its way")
    written = job.connection.execute(
        select(func.count()).where(rows.c.job_id == job.job_id, rows.c.write_back == WriteBackStatus.WRITTEN.value)
    )
    return job.parsed_source, written.scalar_one()


def record_restored(connection: Connection, job_id: str, done: Restoration, now: datetime) -> Step:
    """Write down that the source is as it was before the job: the numbers that were in it are not any more."""
    job = JobTransaction.open(connection, job_id, now)
    removed = connection.execute(
        update(rows)
        .where(
            rows.c.job_id == job_id,
            rows.c.write_back == WriteBackStatus.WRITTEN.value,
            rows.c.status != RowStatus.VOIDED.value,
        )
        .values(write_back=WriteBackStatus.REMOVED.value)
    ).rowcount
    job.trail.add(
        "source.restored",
        actor="writeback",
        target=job.target,
        backup=PurePath(done.backup).name,
        kept_as=None if done.kept_as is None else PurePath(done.kept_as).name,
        numbers=removed,
        forced=bool(done.losses()),
    )
    return close(job)


def _refusal(job: JobTransaction, status: str) -> TallyError:
    return TallyError(ILLEGAL_TRANSITION, action="Restoring its source", job_id=job.job_id, status=status)
