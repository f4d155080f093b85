"""Tracking numbers into a database's table: all that wait for it, and their marks, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.writeback.targets.target import apply_newest
from shared.clock import Clock
from shared.contracts.source import DatabaseSource, Source, source_label
from shared.contracts.writeback import RowWritten
from shared.errors import ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.sources.changes import RowChange
from shared.sources.database_batch import write_failed, write_rows
from shared.sources.database_connection import Connections, Database
from shared.sources.database_marks import MARKS, has_marks
from shared.sources.database_table import inspect_table
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
            return [write_failed(label, error)] * len(changes)
        try:
            is_marked = self._make_marks(database)
            with database.writing() as connection:
                orders = inspect_table(connection, source)
                now = self._clock()
                errors = write_rows(connection, orders, changes, now, is_marked=is_marked, reason=database.reason)
                failpoint("writeback.before_replace")
            failpoint("writeback.after_replace")
        except TallyError as error:
            return [write_failed(label, error)] * len(changes)
        except SQLAlchemyError as error:
            return [write_failed(label, database.reason(error))] * len(changes)
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
