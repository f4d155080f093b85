"""Copies of a job database that is a file, taken while coordinators work, and put back while none does.

A server's own tools copy one on PostgreSQL (docs/guides/postgres.md).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import make_url

from services.coordinator.database.engine import Database
from services.coordinator.database.migration import BASE, revision_of, revisions
from services.coordinator.database.tables import coordinators
from shared.errors import NOT_BACKED_UP, NOT_PUT_BACK, SERVER_HAS_ITS_OWN_TOOLS, STILL_IN_USE, TallyError

_WAIT = 15.0  # seconds for a lock
_PAGES_AT_ONCE = 2000


def back_up(url: str, target: Path) -> None:
    """Copy the job database as it is at one moment to the file `target`, which is replaced once the copy is whole.

    Only its owner may read it. Raises E-4075.
    """
    source = _file(url)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        if not source.is_file():
            raise TallyError(NOT_BACKED_UP, path=target, reason=f"there is no {source}")
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, partial)
        with partial.open("rb") as copy:
            os.fsync(copy.fileno())
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise TallyError(NOT_BACKED_UP, path=target, reason=error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


async def put_back(url: str, backup: Path, now: datetime, counts_for: timedelta) -> None:
    """Make the job database what it was when `backup` was taken.

    Raises E-4077 where a coordinator was seen at it within `counts_for`, E-4076 where the file is no such backup or
    cannot be put back.
    """
    target = _file(url)
    await asyncio.to_thread(_expect_backup, backup)
    await _expect_idle(url, target, now, counts_for)
    await asyncio.to_thread(_put_back, backup, target)


def _put_back(backup: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
        # Page by page into the database, not over its file: what its write-ahead log holds is of the file before.
        _copy(backup, target)
    except (OSError, sqlite3.Error) as error:
        raise TallyError(NOT_PUT_BACK, path=backup, reason=error) from error


def _copy(source: Path, target: Path) -> None:
    with closing(_opened(source)) as one, closing(_opened(target)) as other:
        one.backup(other, pages=_PAGES_AT_ONCE)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_WAIT, isolation_level=None)


def _expect_backup(path: Path) -> None:
    if not path.is_file():
        raise TallyError(NOT_PUT_BACK, path=path, reason="there is no such file")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise TallyError(NOT_PUT_BACK, path=path, reason=error) from error
    if found != "ok" or revision is None or revision[0] not in revisions():
        raise TallyError(NOT_PUT_BACK, path=path, reason="it is no whole backup of a job database of this release")


async def _expect_idle(url: str, target: Path, now: datetime, counts_for: timedelta) -> None:
    if not await asyncio.to_thread(target.exists):
        return
    database = Database(url)
    try:
        seen = await database.read(_last_seen)
    finally:
        await database.close()
    if seen is not None and seen > now - counts_for:
        raise TallyError(STILL_IN_USE, seconds=round((now - seen).total_seconds()))


def _last_seen(connection: Connection) -> datetime | None:
    if revision_of(connection) == BASE:
        return None
    found: datetime | None = connection.scalar(select(func.max(coordinators.c.seen_at)))
    return found


def _file(url: str) -> Path:
    """The file of a SQLite job database; raises E-4078 for a server."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise TallyError(SERVER_HAS_ITS_OWN_TOOLS)
    return Path(parsed.database or "")
