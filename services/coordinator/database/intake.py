"""Jobs and rows as intake makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from services.coordinator.audit import GENESIS
from services.coordinator.database.starting import note_skip
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import jobs, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.identity import reference_for, reservation_key
from shared.contracts.commands import SourcePlace
from shared.contracts.documents import SettledOrders, ShippedBefore
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source, source_hash, source_label
from shared.contracts.states import InterruptPolicy, JobMode, JobStatus, RowStatus
from shared.contracts.warning import RowWarning
from shared.errors import REQUEST_ID_REUSED, ErrorBody, TallyError
from shared.shipping import Shipment


@dataclass(frozen=True)
class NewRow:
    """A row that passed validation: its place in the source and what it ships; `skipped` says why it will not.

    `shipped_before` says that its order is shipped already; `replaces` are the numbers in the source that a new one may
    take the place of. `others` are the further rows of the source that are the same order.
    """

    source_row: int
    row_key: str
    checksum: str
    fingerprint: str
    shipment: Shipment
    skipped: ErrorBody | None = None
    shipped_before: ShippedBefore | None = None
    replaces: tuple[str, ...] = ()
    others: tuple[SourcePlace, ...] = ()
    warnings: tuple[RowWarning, ...] = ()


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
    batch: Sequence[NewRow],
    now: datetime,
) -> None:
    """Insert a batch of rows, numbered from `first`."""
    job = of_intake(connection, job_id, intake, now)
    connection.execute(
        insert(rows),
        [
            {
                "job_id": job_id,
                "row_number": number,
                "source_row": row.source_row,
                "row_key": row.row_key,
                "checksum": row.checksum,
                "others": [place.model_dump() for place in row.others] or None,
                "reservation_key": reservation_key(job.source_hash, row.row_key, row.fingerprint),
                "reference": reference_for(installation, job_id, number),
                "shipment": row.shipment.model_dump_json(exclude_defaults=True),
                "recipient": row.shipment.recipient.name,
                "destination": destination(row.shipment),
                "service": row.shipment.service.value,
                "status": (RowStatus.PENDING if row.skipped is None else RowStatus.SKIPPED).value,
                "error": None if row.skipped is None else row.skipped.model_dump(mode="json"),
                "shipped_before": None if row.shipped_before is None else row.shipped_before.model_dump(mode="json"),
                "replaces": list(row.replaces) or None,
                "warnings": [warning.model_dump(mode="json") for warning in row.warnings] or None,
            }
            for number, row in enumerate(batch, start=first)
        ],
    )
    for number, row in enumerate(batch, start=first):
        if row.skipped is not None:
            note_skip(job, number, row.skipped, row.shipped_before)
    job.close()


def destination(shipment: Shipment) -> str:
    """Where a shipment goes, as a preview says it: city and state, and the country where it is not the US."""
    address = shipment.recipient.address
    parts = [address.city, address.state, address.country if address.country != "US" else ""]
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Reading:
    """How a job's source was read: the mapping's name, the orders that were left out as settled, notes for a person."""

    mapping: str = ""
    settled: tuple[SettledOrders, ...] = ()
    notes: tuple[str, ...] = ()


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
    }
    job.trail.add(
        "job.taken_in",
        total=total,
        mapping=mapping_checksum,
        mapping_name=reading.mapping,
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
