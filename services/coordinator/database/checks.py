"""The check of a job's source against its numbers: what was written, and what is to be written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, func, select

from services.coordinator import states
from services.coordinator.database.commands import writeback_command
from services.coordinator.database.lineage import ShippedSince, shipped_since
from services.coordinator.database.starting import complete_if_settled
from services.coordinator.database.statements import STEP_COLUMNS, AnyRow, update_row, write_back_due
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.sources.source_check import ExpectedNumber, WrittenNumber
from shared.contracts.commands import WritebackCommand
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus

_AT_ONCE = 500


def written_numbers(connection: Connection, job_id: str, after: int, limit: int) -> list[WrittenNumber]:
    """A page of the numbers that the job's source is to have, in the order of its rows."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.source_row, rows.c.others, rows.c.tracking_numbers)
        .where(
            rows.c.job_id == job_id,
            rows.c.row_number > after,
            rows.c.status.in_(states.LABELLED_ROWS),
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


def expected_numbers(connection: Connection, job_id: str, written: Sequence[int]) -> list[ExpectedNumber]:
    """The numbers of the rows that were `written`, and of all that could not be, with how their rows are found."""
    mine = (rows.c.job_id == job_id) & rows.c.status.in_(states.LABELLED_ROWS)
    columns = (rows.c.row_number, rows.c.source_row, rows.c.checksum, rows.c.others, rows.c.tracking_numbers)
    found = [row for which in _chosen(written) for row in connection.execute(select(*columns).where(mine, which))]
    return [
        ExpectedNumber(
            row.row_number,
            row.source_row,
            row.tracking_numbers[0],
            (row.checksum, *(place["checksum"] for place in row.others or ())),
        )
        for row in sorted(found, key=attrgetter("row_number"))
    ]


def cleared_numbers(connection: Connection, job_id: str) -> dict[str, int]:
    """The numbers of a job's voided labels that were cleared in its source, with their rows."""
    found = connection.execute(
        select(rows.c.row_number, rows.c.tracking_numbers).where(
            rows.c.job_id == job_id,
            rows.c.status == RowStatus.VOIDED.value,
            rows.c.write_back == WriteBackStatus.WRITTEN.value,
        )
    )
    return {number: row.row_number for row in found for number in row.tracking_numbers or ()}


def count_expected(connection: Connection, job_id: str) -> int:
    """How many rows of a job have a number that was written into its source, or could not be."""
    tried = (WriteBackStatus.WRITTEN.value, WriteBackStatus.FAILED.value)
    return connection.execute(
        select(func.count()).where(
            rows.c.job_id == job_id, rows.c.status.in_(states.LABELLED_ROWS), rows.c.write_back.in_(tried)
        )
    ).scalar_one()


def order_again(connection: Connection, job_id: str, missing: Sequence[int], by: str, now: datetime) -> Step:
    """Have what lacks in a job's source written once more, whatever the job's state, since a person asked for it."""
    job = JobTransaction.open(connection, job_id, now)
    job.expect_kept("Writing its numbers again")
    job.trail.add("job.verified", actor=by or "unknown", missing=len(missing))
    again = write_again(job, missing)
    complete_if_settled(job)
    return close(job, writebacks=again)


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

    Each as a new version, so that a late report of an earlier one counts for nothing. Where another job has shipped the
    order since, its number is the one to stand there, and this one is left out.
    """
    mine = (rows.c.job_id == job.job_id) & rows.c.status.in_(states.LABELLED_ROWS | {RowStatus.VOIDED})
    commands = []
    for which in _chosen(missing):
        found = job.connection.execute(select(*STEP_COLUMNS).where(mine, which)).all()
        since = shipped_since(job.connection, job.job_id, [row.row_number for row in found if not _is_cleared(row)])
        for row in found:
            if row.row_number in since:
                _leave_out(job, row, since[row.row_number])
                continue
            due = write_back_due(job, row)
            update_row(job, row.row_number, {**due, "write_back_error": None})
            commands.append(writeback_command(job, row, due["write_back_version"]))
    if commands:
        job.trail.add("write_back.again", rows=len(commands), missing=len(missing))
    return tuple(commands)


def _is_cleared(row: AnyRow) -> bool:
    return bool(row.status == RowStatus.VOIDED)


def _leave_out(job: JobTransaction, row: AnyRow, since: ShippedSince) -> None:
    """Have done with a number that could not be written; one that was written stays noted as such."""
    if row.write_back == WriteBackStatus.FAILED:
        update_row(job, row.row_number, {"write_back": WriteBackStatus.REMOVED.value, "write_back_error": None})
        job.trail.add("write_back.removed", row=row.row_number, later_job=since.job_id, later_row=since.row_number)


def _chosen(missing: Sequence[int]) -> Iterator[ColumnElement[bool]]:
    """The rows whose numbers could not be written, then those of `missing` that were."""
    yield rows.c.write_back == WriteBackStatus.FAILED.value
    for start in range(0, len(missing), _AT_ONCE):
        numbers = missing[start : start + _AT_ONCE]
        yield (rows.c.write_back == WriteBackStatus.WRITTEN.value) & rows.c.row_number.in_(numbers)
