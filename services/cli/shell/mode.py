"""`set mode confirm|auto`: how the session's batches ship."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.cli.finding import client_of
from services.cli.session import Session
from shared.contracts.documents import JobDocument
from shared.contracts.states import JobMode, JobStatus
from shared.errors import JOB_NOT_FOUND, MODE_LOCKED, TallyError

_RUNS = frozenset({JobStatus.PENDING, JobStatus.RUNNING})


def set_mode(session: Session, mode: JobMode, data: Path | None = None) -> None:
    """Change the session's mode. Raises E-4032 while a batch runs that the session started."""
    if session.started and (running := asyncio.run(_running(session, data))) is not None:
        raise TallyError(
            MODE_LOCKED,
            mode=session.mode,
            job_id=running.job_id,
            status=running.status,
            cursor=running.cursor,
            total=running.rows.total,
        )
    session.mode = mode


async def _running(session: Session, data: Path | None) -> JobDocument | None:
    """The first of the session's jobs that runs; what has stopped is not asked for again."""
    async with client_of(data) as client:
        for job_id in tuple(session.started):
            try:
                job = await client.show(job_id)
            except TallyError as error:
                if error.kind is not JOB_NOT_FOUND:
                    raise
            else:
                if job.status in _RUNS:
                    return job
            session.started.remove(job_id)
    return None
