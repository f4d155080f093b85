"""Jobs and rows as intake makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from services.coordinator.database.new_rows import NewRow, RefusedRow, StoredRows, stored_rows
from services.coordinator.database.row_insert import insert_rows
from services.coordinator.database.starting import note_skip
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import jobs, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.records.audit import GENESIS
from shared.contracts.documents import SettledOrders
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source, source_hash, source_label
from shared.contracts.states import InterruptPolicy, JobMode, JobStatus
from shared.errors import REQUEST_ID_REUSED, ErrorBody, TallyError


@dataclass(frozen=True)
class Admission:
    """Whether a request made a job just now, and the state of the job it stands for."""

    created: bool
    status: JobStatus


def admit(connection: Connection, job_id: str, request: JobRequest, request_hash: str, now: datetime) -> Admission:
    """Make the request's job, or find the one it made before; raises E-2021 where its id has another body."""
    known = connection.execute(
        select(jobs.c.request_hash, jobs.c.status).where(jobs.c.request_id == request.request_id)
    ).one_or_none()
    if known is not None:
        if known.request_hash != request_hash:
            raise TallyError(REQUEST_ID_REUSED, request_id=request.request_id, job_id=job_id)
        return Admission(created=False, status=JobStatus(known.status))
    automatic = request.mode is JobMode.AUTO
    policy = request.on_interrupt or (InterruptPolicy.RESUME if automatic else InterruptPolicy.ASK)
    _insert_job(
        connection,
        job_id,
        now,
        request_id=request.request_id,
        request_hash=request_hash,
        restart_of=request.restart_of,
        request=request.model_dump(mode="json"),
        name=request.name or source_label(request.source),
        mode=request.mode.value,
        on_interrupt=policy.value,
        requested_by=request.requested_by,
    )
    return Admission(created=True, status=JobStatus.PENDING)


def admit_rejected(connection: Connection, job_id: str, request_id: str, error: ErrorBody, now: datetime) -> bool:
    """Make the failed job of a malformed request that had an id; False where the id has a job already."""
    if connection.execute(select(jobs.c.job_id).where(jobs.c.request_id == request_id)).first() is not None:
        return False
    _insert_job(
        connection,
        job_id,
        now,
        request_id=request_id,
        request_hash="",
        request={},
        name=request_id,
        mode=JobMode.CONFIRM.value,
        on_interrupt=InterruptPolicy.ASK.value,
        requested_by="",
    )
    fail_intake(connection, job_id, error, now)
    return True


def _insert_job(connection: Connection, job_id: str, now: datetime, **values: Any) -> None:
    connection.execute(
        insert(jobs),
        {"job_id": job_id, "status": JobStatus.PENDING.value, "created_at": now, "audit_head": GENESIS, **values},
    )
    job = JobTransaction.open(connection, job_id, now)
    job.trail.add("job.accepted", actor=values["requested_by"] or "unknown", request_hash=values["request_hash"])
    job.milestone = "opened"
    job.close()


class SupersededError(Exception):
    """The job was taken in by somebody else meanwhile (this process was frozen, say), or needs no intake any more."""


def begin_intake(connection: Connection, job_id: str, intake: str, source: Source, now: datetime) -> None:
    """Begin the intake called `intake`: forget the rows of one that was cut short, note where the source really is.

    Raises SupersededError, as every later step of an intake does that another one has replaced.
    """
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.PENDING:
        raise SupersededError
    connection.execute(delete(rows).where(rows.c.job_id == job_id))
    job.changes |= {
        "intake": intake,
        "intake_at": now,
        "source": source.model_dump(mode="json"),
        "source_hash": source_hash(source),
        "total": 0,
    }
    job.close()


def of_intake(connection: Connection, job_id: str, intake: str, now: datetime) -> JobTransaction:
    """The job, while it is still to be taken in and `intake` is the one that does; closing it says that it goes on.

    Raises SupersededError.
    """
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.PENDING or job.intake != intake:
        raise SupersededError
    job.changes["intake_at"] = now
    return job


def add_rows(
    connection: Connection,
    job_id: str,
    intake: str,
    installation: str,
    first: int,
    batch: Sequence[NewRow | RefusedRow] | StoredRows,
    now: datetime,
) -> None:
    """Insert a batch of rows, numbered from `first`."""
    job = of_intake(connection, job_id, intake, now)
    as_stored = batch if isinstance(batch, StoredRows) else stored_rows(batch, job.source_hash)
    insert_rows(connection, installation, job_id, first, as_stored.rows)
    for place, (why, before) in sorted(as_stored.skipped.items()):
        note_skip(job, first + place, why, before)
    job.close()


@dataclass(frozen=True)
class Reading:
    """How a job's source was read: the mapping's name, the orders that were left out as settled, notes for a person.

    `refused` of its rows cannot ship.
    """

    mapping: str = ""
    settled: tuple[SettledOrders, ...] = ()
    notes: tuple[str, ...] = ()
    refused: int = 0


_UNREAD = Reading()


def finish_intake(
    connection: Connection,
    job_id: str,
    intake: str,
    total: int,
    mapping_checksum: str,
    now: datetime,
    reading: Reading = _UNREAD,
) -> None:
    """All rows are in, read so."""
    job = of_intake(connection, job_id, intake, now)
    job.changes |= {
        "total": total,
        "mapping": reading.mapping,
        "settled": [orders.model_dump(mode="json") for orders in reading.settled],
        "notes": list(reading.notes),
        "refused": reading.refused,
    }
    job.trail.add(
        "job.taken_in",
        total=total,
        mapping=mapping_checksum,
        mapping_name=reading.mapping,
        refused=reading.refused,
        left_out={orders.reason: orders.count for orders in reading.settled},
    )
    job.close()


def fail_intake(connection: Connection, job_id: str, error: ErrorBody, now: datetime) -> None:
    """The request cannot become a batch: the job fails, its rows go. Raises SupersededError where it is one already."""
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.PENDING:
        raise SupersededError
    connection.execute(delete(rows).where(rows.c.job_id == job_id))
    job.enter(JobStatus.FAILED, error=error)
    job.close()


def await_approval(connection: Connection, job_id: str, intake: str, now: datetime) -> None:
    """The preview is ready."""
    job = of_intake(connection, job_id, intake, now)
    job.changes["rated_at"] = now
    job.enter(JobStatus.AWAITING_APPROVAL)
    job.close()


def stalled_requests(connection: Connection, since: datetime) -> list[tuple[str, JobRequest]]:
    """Jobs that are still to be taken in and that nobody has worked on since `since`, each with its request."""
    found = connection.execute(
        select(jobs.c.job_id, jobs.c.request).where(
            jobs.c.status == JobStatus.PENDING.value, func.coalesce(jobs.c.intake_at, jobs.c.created_at) < since
        )
    )
    return [(row.job_id, JobRequest.model_validate(row.request)) for row in found]


def resubmit(connection: Connection, job_id: str, request: JobRequest, now: datetime) -> Step:
    """Have a stalled job's request published again."""
    job = JobTransaction.open(connection, job_id, now)
    job.changes["intake_at"] = now
    job.trail.add("job.resubmitted")
    return close(job, request=request)
