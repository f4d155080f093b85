"""What the database's own errors mean for a transaction: whether it may be run again, and what a person is told."""

from __future__ import annotations

from enum import Enum, auto

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import JOB_DATABASE_BUSY, JOB_DATABASE_UNREACHABLE, TallyError


class Trouble(Enum):
    """Why a transaction could not be carried out, where that is nothing the transaction itself is to blame for."""

    CONFLICT = auto()  # another one was quicker; this one is rolled back and may be run again
    LOST = auto()  # the connection ended, or could not be made
    REFUSED = auto()  # the server does not let this user in, or has no such database
    BUSY = auto()  # it, or a connection for it, was waited for in vain


# serialization_failure, deadlock_detected; and unique_violation: what was looked for and not found, and so inserted,
# was inserted by another transaction meanwhile. Run again, this one finds it.
_CONFLICTS = frozenset({"40001", "40P01", "23505"})
# query_canceled by statement_timeout, lock_not_available by lock_timeout
_WAITED = frozenset({"57014", "55P03"})
# admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, idle_in_transaction_session_timeout
_LOST = frozenset({"57P01", "57P02", "57P03", "53300", "25P03"})
# Classes: connection exceptions; invalid authorization; invalid catalog name.
_LOST_CLASS = "08"
_REFUSED_CLASSES = ("28", "3D")


def trouble_of(error: BaseException) -> Trouble | None:
    """What kind of trouble a server's error is; None for one that is a matter of the transaction itself.

    SQLite's errors are none of these: its only writer is a thread of this process.
    """
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return Trouble.LOST if error.connection_invalidated else _trouble_by(state)
    if isinstance(error, PoolTimeoutError):
        return Trouble.BUSY
    return Trouble.LOST if isinstance(error, OSError) else None  # TimeoutError is an OSError, too


def _trouble_by(state: str) -> Trouble | None:
    if state in _CONFLICTS:
        return Trouble.CONFLICT
    if state in _WAITED:
        return Trouble.BUSY
    if state in _LOST or state.startswith(_LOST_CLASS):
        return Trouble.LOST
    return Trouble.REFUSED if state.startswith(_REFUSED_CLASSES) else None


def told(error: BaseException, trouble: Trouble, url: URL) -> TallyError:
    """What a person is told of trouble with the database at `url`: E-4070, or E-4071 where only patience is needed."""
    if trouble in {Trouble.LOST, Trouble.REFUSED}:
        return TallyError(JOB_DATABASE_UNREACHABLE, address=shown(url), reason=_reason(error))
    return TallyError(JOB_DATABASE_BUSY, reason=_reason(error))


def shown(url: URL) -> str:
    """Where a database is, without its user and password."""
    if url.host is None:
        return url.database or ""
    return f"{url.host}:{url.port or 5432}/{url.database or ''}"


def _reason(error: BaseException) -> str:
    """The driver's words, in one line; statements and their values, which SQLAlchemy adds, are left out."""
    if isinstance(error, PoolTimeoutError):
        return "no connection is free"
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(str(cause).split()) or type(cause).__name__
