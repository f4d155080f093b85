"""The check of a job's source against its numbers: what was written, and what is to be written again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from services.coordinator.database.commands import writeback_command
from services.coordinator.database.starting import complete_if_settled
from services.coordinator.database.statements import STEP_COLUMNS, update_row
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.source_check import WrittenNumber
from shared.contracts.commands import WritebackCommand
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus

_AT_ONCE = 500
_LABELLED = (RowStatus.SHIPPED.value, RowStatus.VOIDING.value)


def written_numbers(connection: Connection, job_id: str, after: int, limit: int) -> list[WrittenNumber]:
    """A page of the numbers that the job's source is to have, in the order of its rows."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.source_row, rows.c.others, rows.c.tracking_numbers)
        .where(
            rows.c.job_id == job_id,
            rows.c.row_number > after,
            rows.c.status.in_(_LABELLED),
            rows.c.write_back == WriteBackStatus.WRITTEN.value,
        )
        .order_by(rows.c.row_number)
        .limit(limit)
    )
    return [
        WrittenNumber(
            row.row_number,
            (row.source_row, *(place["source_row"] for place in row.others or ())),
            row.tracking_numbers[0],
        )
        for row in found
    ]


def record_check(connection: Connection, job_id: str, missing: Sequence[int], now: datetime) -> Step:
    """Note that the source of a running job at its end was checked; complete the job, if nothing is left to write.

    What is `missing` there, and what could not be written, is to be written once more.
    """
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.RUNNING or job.source_checked:
        return Step(job_id)
    job.source_checked = job.changes["source_checked"] = True
    again = write_again(job, missing)
    complete_if_settled(job)
    return close(job, writebacks=again)


def write_again(job: JobTransaction, missing: Sequence[int]) -> tuple[WritebackCommand, ...]:
    """Have the numbers of the rows that are `missing`, and of all that could not be written, written once more.

    Each as a new version, so that a late report of an earlier one counts for nothing.
    """
    mine = (rows.c.job_id == job.job_id) & rows.c.status.in_([*_LABELLED, RowStatus.VOIDED.value])
    chosen = [rows.c.write_back == WriteBackStatus.FAILED.value]
    for start in range(0, len(missing), _AT_ONCE):
        numbers = missing[start : start + _AT_ONCE]
        chosen.append((rows.c.write_back == WriteBackStatus.WRITTEN.value) & rows.c.row_number.in_(numbers))
    commands = []
    for which in chosen:
        for row in job.connection.execute(select(*STEP_COLUMNS).where(mine, which)).all():
            version = row.write_back_version + 1
            changes = {"write_back": WriteBackStatus.DUE.value, "write_back_error": None, "write_back_at": job.now}
            update_row(job, row.row_number, {**changes, "write_back_version": version})
            commands.append(writeback_command(job, row, version))
    if commands:
        job.trail.add("write_back.again", rows=len(commands), missing=len(missing))
    return tuple(commands)
