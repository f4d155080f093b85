"""Connections to the job database, and where each kind of work runs.

Queries are plain functions of a synchronous connection. Reads run on SQLAlchemy's async engine. Writes on SQLite run
on one connection in one thread: its writers exclude one another anyway, and a row's transaction costs a fraction of
what the async driver takes (docs/decisions/0003-job-database.md). On PostgreSQL both run on the async engine.

Orders may be in this database, too (orders_beside.py). A write that also wrote to them and failed is run again without,
so that nothing about a table of theirs, a trigger that rolls back say, keeps what was sold from being recorded.

On PostgreSQL a transaction that another one got in the way of, or whose connection ended before its commit was asked
for, is run again, a few times. Whether a commit took place whose connection ended is known to nobody: that is said, and
whoever asked asks again, as a redelivered message does. Every read sees the database as of one moment, as on SQLite.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.coordinator.database.address import read_address
from services.coordinator.database.failures import Trouble, told, trouble_of
from shared.errors import NOT_REWRITTEN, TallyError
from shared.failpoints import failpoint
from shared.sources.database_values import decode_leniently
from shared.telemetry import logger

P = ParamSpec("P")
T = TypeVar("T")

log = logger("job-database")

_BUSY_TIMEOUT_MS = 15_000

# A transaction on PostgreSQL: how often it is tried, the longest pause before the second try (each next one is twice as
# long), and what may be waited for, in seconds.
_TRIES = 6
_FIRST_PAUSE = 0.02
_POOL_SIZE = 15
_POOL_TIMEOUT = 15.0
_POOL_RECYCLE = 1800
_CONNECT_TIMEOUT = 10.0
_STATEMENT_TIMEOUT = 60
_LOCK_TIMEOUT = 15
# The server's own time-out comes first; this one is for a server that is gone without a word.
_ANSWER_TIMEOUT = _STATEMENT_TIMEOUT + 10

# Of a connection's execution options: the connections to orders that lead to this database, by name, and whether
# write-backs are marked there. Of its info: whether the present transaction wrote to such orders.
ORDERS_BESIDE = "tally_orders_beside"
WRITTEN_BESIDE = "tally_written_beside"


# What a transaction is run again after.
_REPEATED = frozenset({Trouble.CONFLICT, Trouble.LOST})


class UnknownOutcomeError(Exception):
    """The connection ended while a commit was under way: it took place, or it did not."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Database:
    """The job database at `url` (`sqlite:///…` or `postgresql://…`).

    `orders_beside` names the connections to orders that lead to it as well, and says whether write-backs are marked.
    On PostgreSQL at most `pool_size` connections are open. Its methods raise TallyError E-4070 where the server cannot
    be reached, E-4071 where it was waited for in vain.
    """

    def __init__(
        self, url: str, orders_beside: Mapping[str, bool] | None = None, *, pool_size: int = _POOL_SIZE
    ) -> None:
        self._url, arguments = read_address(url)
        parsed, backend = self._url, self.kind
        self._path = parsed.database or ""
        self._beside = dict(orders_beside or {})
        self._writer: Engine | None = None
        if backend == "postgresql":
            self._async = _server_engine(parsed, arguments, pool_size)
            self._reading = self._async.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            self._reading = self._async = create_async_engine(parsed, hide_parameters=True)
            _prepare_sqlite(self._async.sync_engine, begin="BEGIN")
            self._writer = create_engine(
                parsed.set(drivername="sqlite"), pool_size=1, max_overflow=0, hide_parameters=True
            )
            _prepare_sqlite(self._writer, begin="BEGIN IMMEDIATE")
            if orders_beside:
                event.listen(self._writer, "connect", _read_leniently)
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="job-database")
            self._local = threading.local()

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._url.get_backend_name()

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` in a transaction that is rolled back."""

        async def once() -> T:
            async with self._reading.connect() as connection:
                return await connection.run_sync(query, *args, **kwargs)

        return await self._insist(once)

    async def write(self, command: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `command` in one transaction, committed durably before this returns; on PostgreSQL perhaps repeatedly."""

        async def once() -> T:
            if self._writer is None:
                async with self._async.connect() as connection:
                    return await connection.run_sync(lambda each: self._commit(each, command, *args, **kwargs))
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, lambda: self._write_sqlite(command, *args, **kwargs))

        return await self._insist(once)

    async def _insist(self, once: Callable[[], Awaitable[T]]) -> T:
        """What `once` returns, tried again where it may be; raises TallyError E-4070 and E-4071."""
        pause = _FIRST_PAUSE
        for tries_left in reversed(range(_TRIES)):
            try:
                return await once()
            except UnknownOutcomeError as error:
                raise told(error.cause, Trouble.LOST, self._url) from error
            except (SQLAlchemyError, OSError) as error:
                trouble = trouble_of(error)
                if trouble is None:
                    raise
                if trouble not in _REPEATED or not tries_left:
                    if trouble is Trouble.CONFLICT and isinstance(error, IntegrityError):
                        raise
                    raise told(error, trouble, self._url) from error
                log.info("a transaction is run again", trouble=trouble.name, tries_left=tries_left)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # nosec B311  # noqa: S311 - spreads tries, guards nothing
            pause *= 2
        raise AssertionError("the last try returned or raised")

    def _write_sqlite(self, command: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            assert self._writer is not None
            connection = self._local.connection = self._writer.connect()
        return self._commit(connection, command, *args, **kwargs)

    def _commit(self, connection: Connection, command: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        if not self._beside:
            return _committed(connection, command, *args, **kwargs)
        connection.execution_options(**{ORDERS_BESIDE: self._beside})
        connection.info[WRITTEN_BESIDE] = False
        try:
            return _committed(connection, command, *args, **kwargs)
        except SQLAlchemyError as error:
            if not connection.info.get(WRITTEN_BESIDE) or trouble_of(error) is Trouble.LOST:
                raise
            log.warning("run again without the orders in the job database", reason=type(error).__name__)
        connection.execution_options(**{ORDERS_BESIDE: {}})
        return _committed(connection, command, *args, **kwargs)

    async def rewrite(self) -> bool:
        """Have a SQLite file written anew without what was deleted; False for a server, which keeps its files itself.

        A file that holds orders, too, is not rewritten, since that may change what its tables' rows are told by;
        deleted data are overwritten in it all the same. Raises TallyError E-4043.
        """
        if self._writer is None:
            return False
        await asyncio.get_running_loop().run_in_executor(self._thread, self._rewrite_sqlite)
        return True

    def _rewrite_sqlite(self) -> None:
        plain = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None)
        try:
            if not self._beside:
                plain.execute("VACUUM")
            busy, _, _ = plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise TallyError(NOT_REWRITTEN, reason="somebody reads it for long")
        except sqlite3.Error as error:
            raise TallyError(NOT_REWRITTEN, reason=error) from error
        finally:
            plain.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._async.dispose()
        if self._writer is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._close_sqlite)
            self._thread.shutdown()

    def _close_sqlite(self) -> None:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        if self._writer is not None:
            self._writer.dispose()


def _committed(connection: Connection, command: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    is_committing = False
    try:
        with connection.begin():
            result = command(connection, *args, **kwargs)
            failpoint("coordinator.in_transaction")
            is_committing = True
    except (SQLAlchemyError, OSError) as error:
        if is_committing and trouble_of(error) is Trouble.LOST:
            raise UnknownOutcomeError(error) from error
        raise
    return result


def _server_engine(url: URL, arguments: Mapping[str, Any], pool_size: int) -> AsyncEngine:
    """Connections to PostgreSQL, each of which bounds what its transactions wait for."""
    engine = create_async_engine(
        url,
        hide_parameters=True,  # an error is logged, and a row's shipment is one of them
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT,
        pool_recycle=_POOL_RECYCLE,
        connect_args={
            **arguments,
            "timeout": _CONNECT_TIMEOUT,
            "command_timeout": _ANSWER_TIMEOUT,
            "server_settings": {
                "application_name": "tally-coordinator",
                "statement_timeout": f"{_STATEMENT_TIMEOUT}s",
                "lock_timeout": f"{_LOCK_TIMEOUT}s",
                "idle_in_transaction_session_timeout": f"{_STATEMENT_TIMEOUT}s",
            },
        },
    )

    @event.listens_for(engine.sync_engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        # A connection that did not answer in time is of no use to the next transaction.
        context.is_disconnect = context.is_disconnect or isinstance(context.original_exception, OSError)

    return engine


def _read_leniently(connection: Any, _record: Any) -> None:
    connection.text_factory = decode_leniently


def _prepare_sqlite(engine: Engine, *, begin: str) -> None:
    """WAL with a durable commit; transactions begin where SQLAlchemy says so, not where the driver guesses.

    What is deleted or changed is overwritten with zeros: a purge is to leave nothing in the file.
    """

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
