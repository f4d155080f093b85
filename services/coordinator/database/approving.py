"""A previewed job while a person approves it: what they are asked to approve, and what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from services.coordinator.database.queries import show_job
from services.coordinator.database.tables import jobs, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.preview.drift import Checksums, Drift
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobStatus, RowStatus
from shared.errors import JOB_NOT_FOUND, TallyError
from shared.shipping import Money, Shipment


@dataclass(frozen=True)
class AwaitedApproval:
    """What a job awaits approval of; `told` is the digest of the change of its source that was told last."""

    request: JobRequest
    rated_at: datetime | None
    told: str


def awaited_approval(connection: Connection, job_id: str) -> AwaitedApproval | None:
    """What the job awaits approval of; None where it does not. Raises E-4003."""
    found = connection.execute(
        select(jobs.c.status, jobs.c.request, jobs.c.rated_at, jobs.c.source_told).where(jobs.c.job_id == job_id)
    ).one_or_none()
    if found is None:
        raise TallyError(JOB_NOT_FOUND, job_id=job_id)
    if found.status != JobStatus.AWAITING_APPROVAL:
        return None
    return AwaitedApproval(JobRequest.model_validate(found.request), found.rated_at, found.source_told)


def order_checksums(connection: Connection, job_id: str, after: int, limit: int) -> list[tuple[int, Checksums]]:
    """A page of a job's rows, each with the checksums of the rows of the source that it was read from."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.checksum, rows.c.others)
        .where(rows.c.job_id == job_id, rows.c.row_number > after)
        .order_by(rows.c.row_number)
        .limit(limit)
    )
    return [(row.row_number, (row.checksum, *(place["checksum"] for place in row.others or ()))) for row in found]


def note_drift(connection: Connection, job_id: str, drift: Drift, actor: str, now: datetime) -> None:
    """Note that a person was told how the source of a job that awaits approval changed."""
    job = JobTransaction.open(connection, job_id, now)
    if job.status is JobStatus.AWAITING_APPROVAL:
        job.changes["source_told"] = drift.digest
        job.trail.add("job.source_changed", actor=actor or "unknown", gone=drift.gone, new=drift.new)
        job.close()


@dataclass(frozen=True)
class RatedRow:
    """A row that the carrier named a price for."""

    row_number: int
    shipment: Shipment
    estimate: Money


def rated_rows(connection: Connection, job_id: str, after: int, limit: int) -> list[RatedRow]:
    """A page of the rows to ship that the carrier named a price for."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.shipment, rows.c.estimate_amount, rows.c.estimate_currency)
        .where(
            rows.c.job_id == job_id,
            rows.c.row_number > after,
            rows.c.status == RowStatus.PENDING.value,
            rows.c.estimate_amount.is_not(None),
            ~rows.c.estimated,
        )
        .order_by(rows.c.row_number)
        .limit(limit)
    )
    return [
        RatedRow(
            row.row_number,
            Shipment.model_validate_json(row.shipment),
            Money(amount=row.estimate_amount, currency=row.estimate_currency),
        )
        for row in found
    ]


def reprice(connection: Connection, job_id: str, changed: Sequence[tuple[int, Money]], now: datetime) -> None:
    """Note that a job that awaits approval was rated anew, and the prices of the rows that this changed."""
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.AWAITING_APPROVAL:
        return
    before = show_job(connection, job_id).estimate
    for row_number, cost in changed:
        price = {"estimate_amount": cost.amount, "estimate_currency": cost.currency}
        connection.execute(update(rows).where(rows.c.job_id == job_id, rows.c.row_number == row_number), price)
    job.changes["rated_at"] = now
    job.trail.add("job.repriced", was=_told(before), estimate=_told(show_job(connection, job_id).estimate))
    job.close()


def _told(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)
