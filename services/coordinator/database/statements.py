"""The statements of a row's way, prepared once: the hot path builds none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, insert, select, text, update

from services.coordinator import states
from services.coordinator.database.tables import attempts, reservations, rows
from services.coordinator.database.trail import JobTransaction
from shared.contracts.states import RowStatus, WriteBackStatus

AnyRow = Row[*tuple[Any, ...]]

# What a step needs of a row, and no more: every column costs its conversion, on each of a batch's rows.
STEP_COLUMNS = (
    rows.c.row_number,
    rows.c.source_row,
    rows.c.row_key,
    rows.c.checksum,
    rows.c.others,
    rows.c.reservation_key,
    rows.c.reference,
    rows.c.shipment,
    rows.c.status,
    rows.c.attempt,
    rows.c.epoch,
    rows.c.recover,
    rows.c.in_flight_at,
    rows.c.estimate_amount,
    rows.c.estimate_currency,
    rows.c.estimated,
    rows.c.shipment_id,
    rows.c.tracking_numbers,
    rows.c.shipped_at,
    rows.c.replaces,
    rows.c.write_back,
    rows.c.write_back_version,
)
SELECT_ROW = select(*STEP_COLUMNS).where(
    rows.c.job_id == bindparam("job_id"), rows.c.row_number == bindparam("row_number")
)
# One query for an outcome's row and the pending row behind it: the hot path has few statements to spare.
SELECT_ROW_AND_NEXT = (
    select(*STEP_COLUMNS)
    .where(
        rows.c.job_id == bindparam("job_id"),
        rows.c.row_number >= bindparam("row_number"),
        (rows.c.row_number == bindparam("row_number")) | (rows.c.status == RowStatus.PENDING.value),
    )
    .order_by(rows.c.row_number)
    .limit(2)
)
SELECT_NEXT = (
    select(*STEP_COLUMNS)
    .where(
        rows.c.job_id == bindparam("job_id"),
        rows.c.row_number > bindparam("after"),
        rows.c.status == RowStatus.PENDING.value,
    )
    .order_by(rows.c.row_number)
    .limit(1)
)
SELECT_WRITE_BACKS = select(rows.c.row_number, rows.c.status, rows.c.write_back, rows.c.write_back_version).where(
    rows.c.job_id == bindparam("job_id"), rows.c.row_number.in_(bindparam("row_numbers", expanding=True))
)
UPDATE_ROW = update(rows).where(rows.c.job_id == bindparam("b_job_id"), rows.c.row_number == bindparam("b_row_number"))
UPDATE_ATTEMPT = update(attempts).where(
    attempts.c.job_id == bindparam("b_job_id"),
    attempts.c.row_number == bindparam("b_row_number"),
    attempts.c.attempt == bindparam("b_attempt"),
)
INSERT_ATTEMPT = insert(attempts)
RESERVE = text(
    "INSERT INTO reservations (reservation_key, job_id, row_number) VALUES (:reservation_key, :job_id, :row_number)"
    " ON CONFLICT (reservation_key) DO NOTHING"
)
# Locked, and read apart from its row: whoever waits here for another job's transaction sees what that one left.
LOCK_RESERVATION = (
    select(reservations.c.job_id, reservations.c.row_number)
    .where(reservations.c.reservation_key == bindparam("reservation_key"))
    .with_for_update()
)
SELECT_HOLDER = select(rows.c.job_id, rows.c.row_number, rows.c.status, rows.c.tracking_numbers).where(
    rows.c.job_id == bindparam("job_id"), rows.c.row_number == bindparam("row_number")
)


def move_row(job: JobTransaction, row: AnyRow, target: RowStatus, changes: dict[str, Any]) -> None:
    """Bring a row into another state, where the table of states allows it; `row` has its number and present status."""
    if not states.allows(states.ROW, RowStatus(row.status), target):
        raise ValueError(f"row {row.row_number} of job {job.job_id} cannot become {target}: it is {row.status}")
    update_row(job, row.row_number, {"status": target.value, **changes})


def update_row(job: JobTransaction, row_number: int, changes: dict[str, Any]) -> None:
    job.connection.execute(UPDATE_ROW, {"b_job_id": job.job_id, "b_row_number": row_number, **changes})


def write_back_due(job: JobTransaction, row: AnyRow) -> dict[str, Any]:
    """The changes by which a row's write-back is due, as its next version."""
    return {
        "write_back": WriteBackStatus.DUE.value,
        "write_back_version": row.write_back_version + 1,
        "write_back_at": job.now,
    }
