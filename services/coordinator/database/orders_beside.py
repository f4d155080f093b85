"""Orders in the job database itself: a row gets its number in the transaction that records its sale, or its void.

Both are committed or neither is. Whatever keeps the number from its row is found out by writeback, which is asked as it
is for any other source: so there is one place that tries again and one that says why a number was not written.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from services.coordinator.database.engine import ORDERS_BESIDE, WRITTEN_BESIDE
from services.coordinator.database.statements import AnyRow, update_row
from services.coordinator.database.trail import JobTransaction
from shared.contracts.commands import WritebackCommand
from shared.contracts.source import DatabaseSource
from shared.contracts.states import WriteBackStatus
from shared.errors import TallyError
from shared.sources.changes import changes_of
from shared.sources.database_batch import write_rows
from shared.sources.database_marks import MARKS, has_marks
from shared.sources.database_table import inspect_table
from shared.telemetry import logger

log = logger("orders-beside")

# Shipping does not wait for a person who has the row, or the table, in a transaction of theirs.
_LOCK_TIMEOUT_MS = 250


def write_beside(job: JobTransaction, row: AnyRow, command: WritebackCommand) -> WritebackCommand | None:
    """Carry out `command`, a row's write-back that is due, where its table is in the job database, and record it.

    Returns the command where it is still to be carried out by writeback, with nothing changed: the table is elsewhere,
    or its row did not take the number.
    """
    source = command.source
    marks_wanted: Mapping[str, bool] = job.connection.get_execution_options().get(ORDERS_BESIDE, {})
    if not isinstance(source, DatabaseSource) or source.connection not in marks_wanted:
        return command
    refusal = _write(job, source, command, is_marked=marks_wanted[source.connection])
    if refusal is not None:
        log.info("a row is left to writeback", job=job.job_id, row=row.row_number, reason=refusal)
        return command
    update_row(job, row.row_number, {"write_back": WriteBackStatus.WRITTEN.value, "write_back_error": None})
    done = "cleared" if command.values.tracking_number is None else WriteBackStatus.WRITTEN
    job.trail.add(f"write_back.{done}", row=row.row_number, target=job.target, error=None)
    return None


def _write(job: JobTransaction, source: DatabaseSource, command: WritebackCommand, *, is_marked: bool) -> str | None:
    """Write the rows of an order, all or none; the code or the kind of error that kept them from it."""
    connection = job.connection
    connection.info[WRITTEN_BESIDE] = True
    savepoint = connection.begin_nested()
    try:
        _bound_waits(connection)
        orders = inspect_table(connection, source)
        if is_marked and not has_marks(connection):
            MARKS.create(connection, checkfirst=False)
        errors = write_rows(connection, orders, changes_of(command), job.now, is_marked=is_marked, reason=_kind)
    except TallyError as error:
        refusal: str | None = error.kind.code
    except (SQLAlchemyError, ValueError, ArithmeticError) as error:
        # The latter two: the driver has no value for what a column holds, such as a date after the year 9999.
        refusal = _kind(error)
    else:
        refusal = next((error.code for error in errors if error is not None), None)
    if refusal is None:
        _unbound_waits(connection)
        savepoint.commit()
    else:
        savepoint.rollback()
    return refusal


def _kind(error: Exception) -> str:
    return type(error).__name__


def _bound_waits(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout TO '{_LOCK_TIMEOUT_MS}ms'"))


def _unbound_waits(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
