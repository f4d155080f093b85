"""Restarts: a job done over as a new one, which may ship again what the old one shipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services.coordinator import states
from services.coordinator.database import intake
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import installation, jobs, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.identity import job_id_for, request_hash, restart_request_id
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobMode, JobStatus
from shared.errors import ILLEGAL_TRANSITION, REQUEST_ID_REUSED, RESTART_UNSETTLED, TallyError


@dataclass(frozen=True)
class RestartOrder:
    """Who has a job done over, and in which mode where not in its own."""

    by: str
    mode: JobMode | None = None


def restart(connection: Connection, job_id: str, order: RestartOrder, now: datetime) -> Step:
    """Make the job that does this one over, and cancel this one where it could still go on.

    A job that was restarted before has its restart already; while that one is still to be taken in its request is
    published once more. Raises E-4003, E-4022 while a row is in flight, in doubt or voiding, E-4005 where the job's
    request was malformed.
    """
    job = JobTransaction.open(connection, job_id, now)
    job.expect_kept("Restarting it")
    old = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one()
    if not old.request:
        raise TallyError(
            ILLEGAL_TRANSITION, action="Restarting", job_id=job_id, status=f"{job.status}, its request was malformed"
        )
    request_id = restart_request_id(old.request_id)
    known = connection.execute(
        select(jobs.c.job_id, jobs.c.restart_of, jobs.c.status, jobs.c.request).where(jobs.c.request_id == request_id)
    ).one_or_none()
    if known is not None:
        if known.restart_of != job_id:
            raise TallyError(REQUEST_ID_REUSED, request_id=request_id, job_id=known.job_id)
        is_pending = known.status == JobStatus.PENDING
        return Step(job_id, request=JobRequest.model_validate(known.request) if is_pending else None)
    _expect_settled(job)
    changes = {
        "request_id": request_id,
        "mode": order.mode or JobMode(old.mode),
        "requested_by": order.by or old.requested_by,
        "restart_of": job_id,
    }
    request = JobRequest.model_validate(old.request | changes)
    new_job_id = job_id_for(connection.execute(select(installation.c.installation_id)).scalar_one(), request_id)
    intake.admit(connection, new_job_id, request, request_hash(request), now)
    job.trail.add("job.restarted", actor=order.by or "unknown", restarted_as=new_job_id)
    job.changes["restarted_as"] = new_job_id
    if states.allows(states.JOB, job.status, JobStatus.CANCELLED):
        job.enter(JobStatus.CANCELLED, actor=order.by or "unknown")
    return close(job, request=request)


def _expect_settled(job: JobTransaction) -> None:
    unsettled = job.connection.execute(
        select(rows.c.row_number, rows.c.status)
        .where(rows.c.job_id == job.job_id, rows.c.status.in_(states.OPEN_ROWS))
        .order_by(rows.c.row_number)
        .limit(1)
    ).first()
    if unsettled is not None:
        raise TallyError(
            RESTART_UNSETTLED,
            row=unsettled.row_number,
            job_id=job.job_id,
            row_number=unsettled.row_number,
            status=unsettled.status,
        )
