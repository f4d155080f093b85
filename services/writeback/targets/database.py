"""Tracking numbers into a database's table: all that wait for it, and their marks, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.writeback.targets.database_decisions import wanted_in
from services.writeback.targets.database_rows import LockedRows, Marks, mark, read_marks
from services.writeback.targets.target import RowChange, apply_newest
from shared.clock import Clock
from shared.contracts.source import DatabaseSource, Source, source_label
from shared.contracts.writeback import RowWritten
from shared.errors import WRITE_FAILED, ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.sources.database_connection import Connections, Database
from shared.sources.database_marks import MARKS, has_marks
from shared.sources.database_table import OrdersTable, inspect_table
from shared.sources.database_values import moment_kind
from shared.sources.rows import TRACKING_COLUMNS
from shared.telemetry import logger

log = logger("database-target")


class DatabaseTarget:
    """Writes into tables of named connections.

    Rows are locked while they are written, so any number of writers may work on a table. Where the connection's user
    may have it, a table of Tallyman's own there (database_marks.py) tells a change that came late from a newer one.
    """

    def __init__(self, connections: Connections, clock: Clock) -> None:
        self._connections = connections
        self._clock = clock
        self._unmarked: set[str] = set()

    def apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        """Write `changes` into the table (see Target.apply). Each failure is E-4010, E-4011 or E-4012."""
        if not isinstance(source, DatabaseSource):
            raise TypeError(f"{type(self).__name__} takes no source of kind {source.kind}")
        return apply_newest(changes, lambda newest: self._write(source, newest))

    def _write(self, source: DatabaseSource, changes: Sequence[RowChange]) -> Sequence[ErrorBody | None]:
        """Each change's failure, None where its row says what it should."""
        label = source_label(source)
        try:
            database = self._connections.find(source.connection)
        except TallyError as error:
            return [_failure(label, error)] * len(changes)
        try:
            is_marked = self._make_marks(database)
            with database.writing() as connection:
                orders = inspect_table(connection, source)
                _check_tracking(connection, orders)
                batch = _Batch(database, connection, orders, changes, self._clock, is_marked=is_marked)
                errors = batch.write()
                failpoint("writeback.before_replace")
            failpoint("writeback.after_replace")
        except TallyError as error:
            return [_failure(label, error)] * len(changes)
        except SQLAlchemyError as error:
            return [_failure(label, database.reason(error))] * len(changes)
        return errors

    def _make_marks(self, database: Database) -> bool:
        """Whether the database has the table of marks, which is made where it may be."""
        if not database.marks_wanted:
            return False
        with database.reading() as connection:
            if has_marks(connection):
                return True
        if database.name in self._unmarked:
            return False
        try:
            with database.writing() as connection:
                MARKS.create(connection, checkfirst=False)
        except DBAPIError as error:
            with database.reading() as connection:
                if has_marks(connection):  # another writer was faster
                    return True
            if not database.forbids(error):
                raise
            log.warning("write-backs are not marked", connection=database.name, reason=database.reason(error))
            self._unmarked.add(database.name)
            return False
        return True


class _Batch:
    """The changes of one transaction. Rows are locked and written in the order of their keys, by every writer."""

    def __init__(
        self,
        database: Database,
        connection: Connection,
        orders: OrdersTable,
        changes: Sequence[RowChange],
        clock: Clock,
        *,
        is_marked: bool,
    ) -> None:
        self._database = database
        self._connection = connection
        self._orders = orders
        self._changes = changes
        self._clock = clock
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
        version = None if marked is None else marked[0]
        try:
            wanted = wanted_in(self._rows.get(change.row_key), version, change, self._orders.label)
        except TallyError as error:
            return error.body
        if wanted is None:
            return None
        savepoint = self._connection.begin_nested()
        try:
            if wanted and not self._rows.update(change.row_key, wanted):
                savepoint.rollback()
                return _failure(self._orders.label, "the row changed while it was written")
            if self._marks is not None:
                mark(self._connection, self._orders, change, self._marks, self._clock())
        except DBAPIError as error:
            # Where the whole transaction is lost, a deadlock's in MySQL say, this fails, and with it the batch.
            savepoint.rollback()
            if error.connection_invalidated:
                raise
            return _failure(self._orders.label, self._database.reason(error))
        savepoint.commit()
        return None


def _check_tracking(connection: Connection, orders: OrdersTable) -> None:
    if orders.header.missing:
        reason = f"it has no column {' and no column '.join(orders.header.missing)}"
        raise TallyError(WRITE_FAILED, path=orders.label, reason=reason)
    shipped_at = orders.tracking[TRACKING_COLUMNS[1]]
    if moment_kind(shipped_at.type, connection.dialect.name) is None:
        raise TallyError(WRITE_FAILED, path=orders.label, reason=f"its column {shipped_at.name} holds no time")


def _failure(label: str, cause: TallyError | str) -> ErrorBody:
    if isinstance(cause, TallyError):
        if cause.kind is WRITE_FAILED:
            return cause.body
        cause = cause.body.message
    return TallyError(WRITE_FAILED, path=label, reason=cause.rstrip(".")).body
