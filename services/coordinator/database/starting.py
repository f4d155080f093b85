"""Puts a job's next row in flight, its order reserved against every other job; completes a job at its end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from services.coordinator import states
from services.coordinator.database import second_labels
from services.coordinator.database.commands import Issue, ship_command
from services.coordinator.database.lineage import ancestors, shipped_before
from services.coordinator.database.statements import (
    LOCK_RESERVATION,
    RESERVE,
    SELECT_HOLDER,
    SELECT_NEXT,
    AnyRow,
    move_row,
    update_row,
)
from services.coordinator.database.tables import jobs, reservations, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.intake.repeats import ships_again, skip_note
from shared.contracts.commands import ShipCommand
from shared.contracts.documents import ShippedBefore
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import JOB_DATABASE_BUSY, RESERVED, ErrorBody, TallyError

_RESERVING_TRIES = 20


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
    holder = _reserve(job, row)
    if holder is not None and not _take_over(job, row, holder):
        return None
    attempt = row.attempt + 1
    move_row(
        job,
        row,
        RowStatus.IN_FLIGHT,
        {
            "attempt": attempt,
            "epoch": issue.epoch,
            "in_flight_at": job.now,
            "error": None,
        },
    )
    job.trail.add("row.in_flight", row=row.row_number, attempt=attempt)
    return ship_command(job, row, attempt, issue, recover=row.recover)


def reservation(job: JobTransaction, row: AnyRow) -> dict[str, Any]:
    return {"reservation_key": row.reservation_key, "job_id": job.job_id, "row_number": row.row_number}


def _reserve(job: JobTransaction, row: AnyRow) -> AnyRow | None:
    """Reserve the row's order; the row of whoever holds it, if that is another one.

    Nobody else changes the reservation before this transaction ends. Raises E-4071 where it changes hands all the time.
    """
    mine = reservation(job, row)
    for _ in range(_RESERVING_TRIES):
        if job.connection.execute(RESERVE, mine).rowcount:
            return None
        held = job.connection.execute(LOCK_RESERVATION, {"reservation_key": row.reservation_key}).one_or_none()
        if held is None:
            continue  # its holder gave it up after it stood in the way
        place = {"job_id": held.job_id, "row_number": held.row_number}
        if place == {"job_id": job.job_id, "row_number": row.row_number}:
            return None
        return job.connection.execute(SELECT_HOLDER, place).one()
    raise TallyError(JOB_DATABASE_BUSY, reason="the reservation of an order changes hands all the time")


def _take_over(job: JobTransaction, row: AnyRow, holder: AnyRow) -> bool:
    """Whether the order may be bought although `holder` reserved it; else the row is skipped or the job fails."""
    status = RowStatus(holder.status)
    if status in states.OPEN_ROWS:
        error = TallyError(
            RESERVED, row=row.row_number, status=status, other_job=holder.job_id, other_row=holder.row_number
        ).body
        update_row(job, row.row_number, {"error": error.model_dump(mode="json")})
        job.enter(JobStatus.FAILED, error=error)
        return False
    if status is RowStatus.SHIPPED:
        before = shipped_before(holder)
        if not _may_ship_again(job, holder):
            _skip(job, row, before)
            job.advance(row.row_number)
            return False
        replaces = [*(row.replaces or ()), *before.tracking_numbers]
        update_row(job, row.row_number, {"replaces": replaces, "shipped_before": before.model_dump(mode="json")})
    _reserve_instead(job, row)
    return True


def reserve_again(job: JobTransaction, row: AnyRow) -> AnyRow | None:
    """Reserve the order of a row that was sold after all; the row of another job that has bought it, or may, if any."""
    holder = _reserve(job, row)
    if holder is None:
        return None
    if not _may_ship_again(job, holder):
        return holder
    _reserve_instead(job, row)
    return None


def _reserve_instead(job: JobTransaction, row: AnyRow) -> None:
    job.connection.execute(
        update(reservations).where(reservations.c.reservation_key == row.reservation_key),
        {"job_id": job.job_id, "row_number": row.row_number},
    )


def _may_ship_again(job: JobTransaction, holder: AnyRow) -> bool:
    return holder.status == RowStatus.SHIPPED and ships_again(
        shipped_before(holder), reship=job.reship, ancestors=ancestors(job.connection, job.restart_of)
    )


def skip_shipped_since(job: JobTransaction) -> None:
    """Skip the unsettled rows that a later job shipped from the same place of the same source.

    A failed row that a person corrected and submitted again has other contents, and so another reservation; resuming
    the old job would buy the uncorrected one besides. Raises E-4006 where that later one is still to be settled.
    """
    later, later_jobs, own = rows.alias(), jobs.alias(), jobs.alias()
    found = job.connection.execute(
        select(
            rows.c.row_number,
            rows.c.status,
            later.c.job_id,
            later.c.row_number.label("later_row"),
            later.c.tracking_numbers,
            later.c.status.label("later_status"),
        )
        .join(own, own.c.job_id == rows.c.job_id)
        .join(later, (later.c.row_key == rows.c.row_key) & (later.c.job_id != rows.c.job_id))
        .join(later_jobs, later_jobs.c.job_id == later.c.job_id)
        .where(
            rows.c.job_id == job.job_id,
            rows.c.status.in_([RowStatus.PENDING.value, RowStatus.FAILED.value]),
            later.c.status.in_(states.OPEN_ROWS | {RowStatus.SHIPPED}),
            # One with the same contents is told apart by its reservation, when its turn comes.
            (later.c.status == RowStatus.SHIPPED.value) | (later.c.reservation_key != rows.c.reservation_key),
            later_jobs.c.source_hash == own.c.source_hash,
            later_jobs.c.created_at > own.c.created_at,
        )
    )
    for row in found.all():
        if row.later_status != RowStatus.SHIPPED:
            raise TallyError(
                RESERVED,
                row=row.row_number,
                status=row.later_status,
                other_job=row.job_id,
                other_row=row.later_row,
            )
        before = ShippedBefore(job_id=row.job_id, row_number=row.later_row, tracking_numbers=row.tracking_numbers)
        _skip(job, row, before)


def _skip(job: JobTransaction, row: AnyRow, before: ShippedBefore) -> None:
    note = skip_note(before, row.row_number)
    told = {"error": note.model_dump(mode="json"), "shipped_before": before.model_dump(mode="json")}
    move_row(job, row, RowStatus.SKIPPED, told)
    note_skip(job, row.row_number, note, before)


def note_skip(job: JobTransaction, row_number: int, why: ErrorBody, before: ShippedBefore | None) -> None:
    """Put into the trail that a row is skipped; not in words, which may quote the source."""
    by = (None, None) if before is None else (before.job_id, before.row_number)
    job.trail.add("row.skipped", row=row_number, error=why.code, shipped_by=by[0], shipped_as=by[1])


def release(job: JobTransaction, row: AnyRow) -> None:
    """Give the row's reservation up: it has no label. Where it was taken over from a label that stands, that has it."""
    job.connection.execute(
        reservations.delete().where(
            reservations.c.reservation_key == row.reservation_key, reservations.c.job_id == job.job_id
        )
    )
    _hand_back(job, row)


def _hand_back(job: JobTransaction, row: AnyRow) -> None:
    """Reserve the row's order for the shipped row that it was to ship again, if any."""
    place, seen = (job.job_id, row.row_number), set[tuple[str, int]]()
    while place not in seen:
        seen.add(place)
        found = job.connection.execute(
            select(rows.c.status, rows.c.reservation_key, rows.c.shipped_before).where(
                rows.c.job_id == place[0], rows.c.row_number == place[1]
            )
        ).one_or_none()
        if found is None or found.reservation_key != row.reservation_key:
            return
        if len(seen) > 1 and found.status in states.LABELLED_ROWS:
            key = {"reservation_key": row.reservation_key, "job_id": place[0], "row_number": place[1]}
            job.connection.execute(RESERVE, key)
            return
        before = found.shipped_before
        if before is None or before["job_id"] is None:
            return
        place = (before["job_id"], before["row_number"])


def complete_if_settled(job: JobTransaction) -> None:
    """Complete a running job that has nothing left to do; say of a complete one whether it ended with warnings.

    Before a job completes, its source is to be checked once against its numbers.
    """
    is_complete = job.status in states.COMPLETE_JOBS
    if not is_complete and (job.status is not JobStatus.RUNNING or job.cursor < job.total):
        return
    unsettled = job.connection.execute(
        select(rows.c.row_number)
        .where(
            rows.c.job_id == job.job_id,
            rows.c.status.in_(states.UNSETTLED_ROWS) | (rows.c.write_back == WriteBackStatus.DUE.value),
        )
        .limit(1)
    ).first()
    if unsettled is not None:
        return
    if not is_complete and not job.source_checked and _has_written(job):
        job.check_due = True
        return
    ending = JobStatus.COMPLETED_WITH_WARNINGS if _has_warnings(job) else JobStatus.COMPLETED
    if job.status is not ending:
        job.enter(ending)


def _has_written(job: JobTransaction) -> bool:
    tried = (WriteBackStatus.WRITTEN.value, WriteBackStatus.FAILED.value)
    found = job.connection.execute(
        select(rows.c.row_number).where(rows.c.job_id == job.job_id, rows.c.write_back.in_(tried)).limit(1)
    )
    return found.first() is not None


def _has_warnings(job: JobTransaction) -> bool:
    failed = job.connection.execute(
        select(rows.c.row_number)
        .where(rows.c.job_id == job.job_id, rows.c.write_back == WriteBackStatus.FAILED.value)
        .limit(1)
    ).first()
    return failed is not None or second_labels.any_left(job)
