"""Named connections to databases that hold orders: transactions to read and to write in, and failures put in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shared.errors import CONNECTION_UNKNOWN, DATABASE_UNREACHABLE, TallyError
from shared.settings import ConnectionSettings
from shared.sources.database_address import LOCK_TIMEOUT, read_address
from shared.sources.database_values import decode_leniently

_POOL = 2
_RECYCLE_AFTER = 300  # seconds; many a server or firewall drops a connection that idles longer
_SHOWN = 200
_INSUFFICIENT_PRIVILEGE = "42501"  # PostgreSQL's SQLSTATE
_ACCESS_DENIED = frozenset({1044, 1142, 1227})  # MySQL's errors: to a database, for a command, for a privilege
# Times are told in UTC and as ISO whatever the server's or the user's settings, so a row reads the same at every time.
_SESSION = {
    "postgresql": (
        "SET TIME ZONE 'UTC'",
        "SET DateStyle TO ISO",
        "SET IntervalStyle TO iso_8601",
        f"SET lock_timeout TO '{LOCK_TIMEOUT}s'",
    ),
    "mysql": (
        "SET SESSION time_zone = '+00:00'",
        # A text that is too long is an error, not a shorter text.
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        f"SET SESSION innodb_lock_wait_timeout = {LOCK_TIMEOUT}",
    ),
}


class Connections:
    """The connections of an installation by name; each is opened when it is first used, and kept."""

    def __init__(self, settings: Mapping[str, ConnectionSettings]) -> None:
        """Raises E-5002 for a URL that cannot be one."""
        self._databases = {name: Database(name, each) for name, each in settings.items()}

    def find(self, name: str) -> Database:
        """The database called `name`, whatever its case. Raises E-1040."""
        found = self._databases.get(name.lower())
        if found is None:
            names = ", ".join(sorted(self._databases)) or "none"
            raise TallyError(CONNECTION_UNKNOWN, connection=printable(name), names=names)
        return found

    def close(self) -> None:
        """Close every connection."""
        for database in self._databases.values():
            database.close()


class Database:
    """One database that holds orders. All methods block: call them in a thread."""

    def __init__(self, name: str, settings: ConnectionSettings) -> None:
        self.name = name
        self.marks_wanted = settings.mark_table
        url, arguments = read_address(name, settings)
        self._password = url.password
        self._engine = _engine(url, arguments)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that is rolled back. Raises E-1041; what fails within is SQLAlchemy's."""
        with self._connected() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """A transaction that may write, and is rolled back all the same. Raises as `reading` does."""
        with self._connected() as connection:
            writer = _as_writer(connection)
            with writer.begin() as transaction:
                yield writer
                transaction.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end. Raises as `reading` does."""
        with self._connected() as connection:
            writer = _as_writer(connection)
            with writer.begin():
                yield writer

    def reason(self, error: Exception) -> str:
        """Why the database refused, in one line of its own words, without statement, values or password."""
        cause = getattr(error, "orig", None) or error
        match cause.args:
            case ({"M": str(words)}, *_):  # pg8000: the fields of the server's message
                pass
            case (int(), str(words), *_):  # PyMySQL: number and message
                pass
            case (str(words), *_):
                pass
            case _:
                words = type(cause).__name__
        line = " ".join(words.split("\n", 1)[0].split()).rstrip(".")
        if self._password:
            line = line.replace(self._password, "***")
        return f"{line[:_SHOWN]}…" if line[_SHOWN:] else line or type(cause).__name__

    def forbids(self, error: DBAPIError) -> bool:
        """Whether the connection's user has not the right to do what failed."""
        match getattr(error.orig, "args", ()):
            case ({"C": str(code)}, *_):
                return code == _INSUFFICIENT_PRIVILEGE
            case (int(number), *_):
                return number in _ACCESS_DENIED
        return False

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            connection = self._engine.connect()
        except (SQLAlchemyError, OSError, RuntimeError) as error:  # OSError: TLS; RuntimeError: the way to log in
            reason = self.reason(error)
            raise TallyError(DATABASE_UNREACHABLE, connection=self.name, reason=reason) from error
        with connection:
            yield connection


def _as_writer(connection: Connection) -> Connection:
    return connection.execution_options(tally_begin="BEGIN IMMEDIATE")


def _engine(url: URL, arguments: Mapping[str, Any]) -> Engine:
    backend = url.get_backend_name()
    isolation = {} if backend == "sqlite" else {"isolation_level": "READ COMMITTED"}
    engine = create_engine(
        url,
        connect_args=dict(arguments),
        hide_parameters=True,
        pool_size=_POOL,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_AFTER,
        **isolation,
    )
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", partial(_prepare_session, _SESSION.get(backend, _SESSION["mysql"])))
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Transactions begin where SQLAlchemy says so, not where the driver guesses.
    connection.isolation_level = None
    connection.text_factory = decode_leniently


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("tally_begin", "BEGIN"))


def _prepare_session(statements: tuple[str, ...], connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    connection.commit()


def printable(text: str) -> str:
    """`text` in one line, for an error; what cannot be printed as ?."""
    return "".join(char if char.isprintable() else "?" for char in text)
