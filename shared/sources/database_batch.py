"""Changes in the rows of one table, and their marks, within a transaction of whoever writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from shared.errors import WRITE_FAILED, ErrorBody, TallyError
from shared.sources.changes import RowChange
from shared.sources.database_decisions import wanted_in
from shared.sources.database_rows import LockedRows, Marks, mark, read_marks
from shared.sources.database_table import OrdersTable
from shared.sources.database_values import moment_kind
from shared.sources.rows import TRACKING_COLUMNS


def write_rows(
    connection: Connection,
    orders: OrdersTable,
    changes: Sequence[RowChange],
    now: datetime,
    *,
    is_marked: bool,
    reason: Callable[[Exception], str],
) -> list[ErrorBody | None]:
    """Write `changes`, each of a place of its own, into a table's rows; each one's failure, in their order.

    With `is_marked` each is marked in the database's table of marks. What fails changes nothing; `reason` puts the
    database's refusal of one row in words. Raises E-4011 where the table cannot take numbers any more, and SQLAlchemy's
    errors where the whole transaction is lost.
    """
    _check_tracking(connection, orders)
    return _Batch(connection, orders, changes, now, is_marked=is_marked, reason=reason).write()


def _check_tracking(connection: Connection, orders: OrdersTable) -> None:
    if orders.header.missing:
        reason = f"it has no column {' and no column '.join(orders.header.missing)}"
        raise TallyError(WRITE_FAILED, path=orders.label, reason=reason)
    shipped_at = orders.tracking[TRACKING_COLUMNS[1]]
    if moment_kind(shipped_at.type, connection.dialect.name) is None:
        raise TallyError(WRITE_FAILED, path=orders.label, reason=f"its column {shipped_at.name} holds no time")


class _Batch:
    """The changes of one transaction. Rows are locked and written in the order of their keys, by every writer."""

    def __init__(
        self,
        connection: Connection,
        orders: OrdersTable,
        changes: Sequence[RowChange],
        now: datetime,
        *,
        is_marked: bool,
        reason: Callable[[Exception], str],
    ) -> None:
        self._connection = connection
        self._orders = orders
        self._changes = changes
        self._now = now
        self._reason = reason
        self._rows = LockedRows(connection, orders, sorted({change.row_key for change in changes}))
        self._marks: Marks | None = read_marks(connection, changes) if is_marked else None

    def write(self) -> list[ErrorBody | None]:
        """Write each change that can be; each one's failure, in their order."""
        errors: list[ErrorBody | None] = [None] * len(self._changes)
        for index in sorted(range(len(self._changes)), key=lambda index: self._changes[index].row_key):
            errors[index] = self._write_one(self._changes[index])
        return errors

    def _write_one(self, change: RowChange) -> ErrorBody | None:
        marked = None if self._marks is None else self._marks.get(change.place)
        try:
            row = self._rows.get(change.row_key)
            wanted = wanted_in(row, marked, change, self._orders.label, is_view=self._orders.is_view)
        except TallyError as error:
            return error.body
        if wanted is None:
            return None
        savepoint = self._connection.begin_nested()
        try:
            if wanted and not self._rows.update(change.row_key, wanted):
                savepoint.rollback()
                return write_failed(self._orders.label, "the row changed while it was written")
            if self._marks is not None:
                mark(self._connection, self._orders, change, self._marks, self._now)
        except DBAPIError as error:
            # Where the whole transaction is lost, a deadlock's in MySQL say, this fails, and with it the batch.
            savepoint.rollback()
            if error.connection_invalidated:
                raise
            return write_failed(self._orders.label, self._reason(error))
        savepoint.commit()
        return None


def write_failed(label: str, cause: TallyError | str) -> ErrorBody:
    """E-4011 for `cause`, unless that is one already."""
    if isinstance(cause, TallyError):
        if cause.kind is WRITE_FAILED:
            return cause.body
        cause = cause.body.message
    return TallyError(WRITE_FAILED, path=label, reason=cause.rstrip(".")).body
