"""Following a job: by its events, and by asking where they fall silent."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import TypeVar

import stamina

from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.events import EventType
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobStatus, WriteBackStatus
from shared.errors import TallyError
from shared.watching import JobEvents, has_ended

Until = Callable[[JobDocument], bool]
OnChange = Callable[[JobDocument, RowDocument | None], None]
AnswerT = TypeVar("AnswerT")

SILENCE = 2.0
PATIENCE = 60.0
WRITE_BACK_WITHIN = 10.0
FEW_UNWRITTEN = 5

_RESUMABLE = frozenset({JobStatus.FAILED, JobStatus.PAUSED, JobStatus.INTERRUPTED})
_HALTED = frozenset({JobStatus.PAUSED, JobStatus.INTERRUPTED, JobStatus.AWAITING_APPROVAL})


def has_stopped(job: JobDocument) -> bool:
    """Whether nothing further is sent until a person acts, if ever."""
    return has_ended(job) or job.status in _HALTED


def can_resume(job: JobDocument) -> bool:
    """Whether a job that began to ship can be told to go on."""
    return job.status in _RESUMABLE and job.started_at is not None


def is_taken_in(job: JobDocument) -> bool:
    """Whether the job's source has been read and its rows are known, or could not be."""
    return job.status is not JobStatus.PENDING


def is_written_back(job: JobDocument) -> bool:
    """Whether no shipped row waits for its write-back."""
    return job.write_back.due == 0


def nothing(_: JobDocument, __: RowDocument | None) -> None:
    """What to do at a change where nobody looks."""


async def take_in(client: TallyClient, request: JobRequest, on_change: OnChange = nothing) -> JobDocument:
    """Submit a request and follow its job until its rows are known. Raises what the house rejected it with."""
    event = await client.submit(request)
    if event.type is EventType.REJECTED and event.error is not None:
        raise TallyError.from_body(event.error)
    assert event.job_id is not None
    return await follow(client, event.job_id, is_taken_in, on_change)


async def follow(client: TallyClient, job_id: str, until: Until, on_change: OnChange = nothing) -> JobDocument:
    """Follow a job until `until` holds; `on_change` hears of every change with the row last settled.

    The end is believed only when the house says so itself: an event may be old news, of a job that failed and was
    resumed. A house that does not answer, at first or later, is waited for, PATIENCE seconds; then the last TallyError
    is raised.
    """
    async with AsyncExitStack() as stack:
        events = await patiently(lambda: stack.enter_async_context(client.events(job_id, from_first=False)))
        job = await patiently(lambda: client.show(job_id))
        while not until(job):
            on_change(job, None)
            await _silence_or_end(events, job, until, on_change)
            job = await patiently(lambda: client.show(job_id))
        on_change(job, None)
        return job


async def patiently(ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """What `ask` answers, once the house does again; after PATIENCE seconds the last TallyError is raised."""
    async for attempt in stamina.retry_context(
        on=lambda error: isinstance(error, TallyError) and error.kind.retryable,
        attempts=None,
        timeout=PATIENCE,
        wait_initial=0.2,
        wait_max=SILENCE,
    ):
        with attempt:
            return await ask()
    raise AssertionError("unreachable")


async def _silence_or_end(events: JobEvents, known: JobDocument, until: Until, on_change: OnChange) -> None:
    """Pass events on until one says that `until` holds, or none comes for SILENCE seconds."""
    while (event := await events.next(SILENCE)) is not None:
        if event.job is not None and event.job.cursor >= known.cursor:
            on_change(event.job, event.last_row)
            if until(event.job):
                return


async def await_write_back(client: TallyClient, job: JobDocument) -> JobDocument:
    """The job once its shipped rows are in the source, or as it is after WRITE_BACK_WITHIN seconds."""
    deadline = time.monotonic() + WRITE_BACK_WITHIN
    return await follow(client, job.job_id, lambda now: is_written_back(now) or time.monotonic() > deadline)


async def first_unwritten(client: TallyClient, job: JobDocument) -> list[RowDocument]:
    """The first of a job's rows whose write-back failed, FEW_UNWRITTEN at most."""
    wanted = min(job.write_back.failed, FEW_UNWRITTEN)
    first: list[RowDocument] = []
    if wanted:
        async with aclosing(client.rows(job.job_id)) as rows:
            async for row in rows:
                if row.write_back.status is WriteBackStatus.FAILED:
                    first.append(row)
                if len(first) == wanted:
                    break
    return first
