"""A session of `tally shell`: what holds from one of its commands to the next, and ends with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.contracts.states import JobMode


@dataclass
class Session:
    """The mode that batches ship in, the jobs that were set going, and those whose interruption was told."""

    mode: JobMode = JobMode.CONFIRM
    started: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)


_current: ContextVar[Session | None] = ContextVar("session", default=None)


def current_session() -> Session | None:
    """The session that a command is typed in; None for one that is typed at the system's own shell."""
    return _current.get()


@contextmanager
def entered(session: Session) -> Iterator[None]:
    """Within the block commands are typed in `session`."""
    token = _current.set(session)
    try:
        yield
    finally:
        _current.reset(token)


def session_mode() -> JobMode:
    """How a batch ships that names no mode of its own."""
    session = current_session()
    return JobMode.CONFIRM if session is None else session.mode


def note_started(job_id: str) -> None:
    """Note that this session, if there is one, set a job going."""
    session = current_session()
    if session is not None and job_id not in session.started:
        session.started.append(job_id)
