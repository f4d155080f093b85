"""A job as another program has it shipped: published from outside, followed by its events, and its books compared."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.js import JetStreamContext
from nats.js.errors import NoStreamResponseError
from pydantic import SecretStr

from shared.bus.connecting import BusAccess
from shared.client import TallyClient
from shared.contracts.documents import JobDocument
from shared.contracts.states import JobStatus, RowStatus
from shared.errors import TallyError
from shared.watching import JobEvents
from tests.containers.stack import Stack
from tests.integration.house import tracking_numbers

PATIENCE = 180.0
USER = "cli"
Strike = Callable[[Stack], None]

_SILENCE = 1.0
_ENDED = frozenset({JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_WARNINGS, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class Books:
    """A job at its end: in the job database, at the carrier, in its file."""

    status: JobStatus
    unshipped: int
    duplicates: int
    lost: int
    standstill: float

    @property
    def balance(self) -> bool:
        """Every row shipped, once, its number in the file."""
        return (self.status, self.unshipped, self.duplicates, self.lost) == (JobStatus.COMPLETED, 0, 0, 0)


async def ship(stack: Stack, name: str, rows: int, strike: Strike | None = None) -> Books:
    """Publish a request for a fresh file of orders, strike when half of its rows are through, and read the books."""
    path = stack.orders(name, rows)
    job_id = await publish(stack, name)
    async with await TallyClient.connect(
        BusAccess(stack.nats_url, USER, SecretStr(stack.secret(f"nats_{USER}")))
    ) as client:
        async with asyncio.timeout(PATIENCE), client.events(job_id) as events:
            watch = _Watch(client, job_id, events)
            if strike is not None:
                await watch.until(lambda job: job.cursor >= rows // 2)
                await asyncio.to_thread(strike, stack)
            await watch.until(lambda job: job.status in _ENDED)
        return await _books(stack, client, job_id, path, watch.standstill)


async def publish(stack: Stack, name: str) -> str:
    """Have the file `name` shipped, with nothing but nats-py; the id of the job that was made of it."""
    request_id = f"{name}-{uuid.uuid4().hex[:8]}"
    body = {"request_id": request_id, "source": {"kind": "csv", "path": name}, "mode": "auto"}
    connection = await nats.connect(
        stack.nats_url, user=USER, password=stack.secret(f"nats_{USER}"), inbox_prefix=f"_INBOX.{USER}"
    )
    try:
        events = await connection.subscribe("tally.events.*.*")
        async with asyncio.timeout(PATIENCE):
            await _submit(connection.jetstream(), json.dumps(body).encode())
            async for message in events.messages:
                event = json.loads(message.data)
                if event["request_id"] == request_id:
                    assert event["type"] != "rejected", event["error"]
                    return event["job_id"]
    finally:
        await connection.close()
    raise AssertionError("the bus went away")


async def _submit(js: JetStreamContext, request: bytes) -> None:
    """Publish a request; containers are well some seconds before a coordinator has brought the streams up."""
    while True:
        try:
            await js.publish("tally.requests.submit", request)
        except NoStreamResponseError:
            await asyncio.sleep(_SILENCE)
        else:
            return


class _Watch:
    """A job's events, and the longest time for which no row went through."""

    def __init__(self, client: TallyClient, job_id: str, events: JobEvents) -> None:
        self._client = client
        self._job_id = job_id
        self._events = events
        self._cursor, self._moved = 0, time.monotonic()
        self.standstill = 0.0

    async def until(self, wanted: Callable[[JobDocument], bool]) -> None:
        """Follow until the job is as it is wanted: by its events and, as `tally watch` does, by asking in silence."""
        while True:
            event = await self._events.next(_SILENCE)
            job = await self._asked() if event is None else event.job
            if job is not None:
                self._note(job.cursor)
                if wanted(job):
                    return

    async def _asked(self) -> JobDocument | None:
        """The job, where anybody answers."""
        try:
            return await self._client.show(self._job_id)
        except TallyError:
            return None

    def _note(self, cursor: int) -> None:
        if cursor > self._cursor:
            moved, self._moved = self._moved, time.monotonic()
            if self._cursor:
                self.standstill = max(self.standstill, self._moved - moved)
            self._cursor = cursor


async def _books(stack: Stack, client: TallyClient, job_id: str, path: Path, standstill: float) -> Books:
    job = await client.show(job_id)
    async with aclosing(client.rows(job_id)) as pages:
        rows = [row async for row in pages]
    sold = Counter(shipment["reference"] for shipment in await asyncio.to_thread(stack.shipments))
    numbers = tracking_numbers(path)
    assert len(rows) == len(numbers)
    return Books(
        status=job.status,
        unshipped=sum(row.status is not RowStatus.SHIPPED for row in rows),
        duplicates=sum(max(0, sold[row.reference] - 1) for row in rows),
        lost=sum((number,) != row.tracking_numbers for number, row in zip(numbers, rows, strict=True)),
        standstill=standstill,
    )
