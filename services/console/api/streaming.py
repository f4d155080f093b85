"""A job's events as server-sent events, which a browser reads by itself and takes up again where it was cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.responses import StreamingResponse

from services.console.wiring import Wiring
from shared.cancelling import cancel
from shared.client import TallyClient
from shared.contracts.documents import JobDocument
from shared.contracts.events import JobEvent
from shared.errors import TallyError
from shared.watching import JobEvents, is_end_of, missed_end, says_end

SILENCE = 2.0
HEARTBEAT = 10.0


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


async def event_stream(wiring: Wiring, job_id: str, *, after: int, replay: bool) -> AsyncIterator[str]:
    """A job's events until one is its end and the house agrees; then `end`, with the job.

    They are those behind number `after`, else with `replay` from the first, else those to come. Where nothing comes for
    HEARTBEAT seconds a comment shows that somebody is there. A bus that is away is waited for; when the console stops,
    the stream ends without `end`, and the reader comes again.
    """
    yield ": connected\n\n"
    client = wiring.bus.client
    async with client.events(job_id, from_first=replay, after=after) as events, _set(wiring.stopping) as stopped:
        told = time.monotonic()
        while True:
            event = await _next(events, stopped)
            if stopped.done():
                return
            if event is not None:
                yield _sent(event, events.seen)
                told = time.monotonic()
                if not says_end(event):
                    continue
            job = await _as_it_is(client, job_id)
            if job is not None and is_end_of(event, job):
                if event is None:
                    yield _sent(missed_end(job))
                yield f"event: end\ndata: {job.model_dump_json()}\n\n"
                return
            if time.monotonic() - told > HEARTBEAT:
                yield ": nothing new\n\n"
                told = time.monotonic()


@asynccontextmanager
async def _set(event: asyncio.Event) -> AsyncIterator[asyncio.Task[bool]]:
    task = asyncio.create_task(event.wait())
    try:
        yield task
    finally:
        await cancel([task])


async def _next(events: JobEvents, stopped: asyncio.Task[bool]) -> JobEvent | None:
    """The next event; None after SILENCE seconds, or at once when the console is told to stop."""
    coming = asyncio.create_task(events.next(SILENCE))
    try:
        await asyncio.wait((coming, stopped), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        await cancel([coming])


async def _as_it_is(client: TallyClient, job_id: str) -> JobDocument | None:
    """The job as the house has it; None while the house gives no answer."""
    try:
        return await client.show(job_id)
    except TallyError as error:
        if error.kind.retryable:
            return None
        raise


def _sent(event: JobEvent, number: int | None = None) -> str:
    named = "" if number is None else f"id: {number}\n"
    return f"{named}event: {event.type}\ndata: {event.model_dump_json()}\n\n"
