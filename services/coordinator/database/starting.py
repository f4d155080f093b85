"""Puts a job's next row in flight, its order reserved against every other job; completes a job at its end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from services.coordinator import states
from services.coordinator.database.commands import Issue, ship_command
from services.coordinator.database.statements import HOLDER, RESERVE, SELECT_NEXT, AnyRow, update_row
from services.coordinator.database.tables import reservations, rows
from services.coordinator.database.trail import JobTransaction
from shared.contracts.commands import ShipCommand
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import RESERVED, ErrorBody, TallyError


def start_next(job: JobTransaction, issue: Issue, following: AnyRow | None = None) -> ShipCommand | None:
    """Put the next pending row in flight, passing over those that another job shipped.

    `following` is that row, where it was read already.
    """
    while job.status is JobStatus.RUNNING:
        row = following or job.connection.execute(SELECT_NEXT, {"job_id": job.job_id, "after": job.cursor}).first()
        following = None
        if row is None:
            job.advance(job.total)
            complete_if_settled(job)
            return None
        job.advance(row.row_number - 1)
        command = start_row(job, row, issue)
        if command is not None:
            return command
    return None


def start_row(job: JobTransaction, row: AnyRow, issue: Issue) -> ShipCommand | None:
    """Reserve the row's order and put the row in flight; None where it is skipped or the job had to fail."""
    if not job.connection.execute(RESERVE, reservation(job, row)).rowcount:
        holder = job.connection.execute(HOLDER, {"reservation_key": row.reservation_key}).one()
        mine = (holder.job_id, holder.row_number) == (job.job_id, row.row_number)
        if not mine and not _take_over(job, row, holder):
            return None
    attempt = row.attempt + 1
    update_row(
        job,
        row.row_number,
        {
            "status": RowStatus.IN_FLIGHT.value,
            "attempt": attempt,
            "epoch": issue.epoch,
            "in_flight_at": job.now,
            "error": None,
        },
    )
    job.trail.add("row.in_flight", row=row.row_number, attempt=attempt)
    return ship_command(job, row, attempt, issue)


def reservation(job: JobTransaction, row: AnyRow) -> dict[str, Any]:
    return {"reservation_key": row.reservation_key, "job_id": job.job_id, "row_number": row.row_number}


def _take_over(job: JobTransaction, row: AnyRow, holder: AnyRow) -> bool:
    """Whether the order may be bought although `holder` reserved it; else the row is skipped or the job fails."""
    status = RowStatus(holder.status)
    if status in {RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING}:
        error = TallyError(
            RESERVED, row=row.row_number, status=status, other_job=holder.job_id, other_row=holder.row_number
        ).body
        update_row(job, row.row_number, {"error": error.model_dump(mode="json")})
        job.enter(JobStatus.FAILED, error=error)
        return False
    if status is RowStatus.SHIPPED and not job.reship:
        numbers = ", ".join(holder.tracking_numbers or ())
        note = ErrorBody(
            code=RESERVED.code,
            message=f"Already shipped by job {holder.job_id}, row {holder.row_number}: {numbers}.",
            row=row.row_number,
        )
        update_row(job, row.row_number, {"status": RowStatus.SKIPPED.value, "error": note.model_dump(mode="json")})
        job.trail.add("row.skipped", row=row.row_number, shipped_by=holder.job_id)
        job.advance(row.row_number)
        return False
    job.connection.execute(
        update(reservations).where(reservations.c.reservation_key == row.reservation_key),
        {"job_id": job.job_id, "row_number": row.row_number},
    )
    return True


def release(job: JobTransaction, row: AnyRow) -> None:
    """Give the row's reservation up: nothing was bought."""
    job.connection.execute(
        reservations.delete().where(
            reservations.c.reservation_key == row.reservation_key, reservations.c.job_id == job.job_id
        )
    )


def complete_if_settled(job: JobTransaction) -> None:
    if job.status is not JobStatus.RUNNING or job.cursor < job.total:
        return
    unsettled = job.connection.execute(
        select(rows.c.row_number)
        .where(
            rows.c.job_id == job.job_id,
            rows.c.status.in_([state.value for state in states.UNSETTLED_ROWS])
            | (rows.c.write_back == WriteBackStatus.DUE.value),
        )
        .limit(1)
    ).first()
    if unsettled is not None:
        return
    failed = job.connection.execute(
        select(rows.c.row_number)
        .where(rows.c.job_id == job.job_id, rows.c.write_back == WriteBackStatus.FAILED.value)
        .limit(1)
    ).first()
    job.enter(JobStatus.COMPLETED if failed is None else JobStatus.COMPLETED_WITH_WARNINGS)
