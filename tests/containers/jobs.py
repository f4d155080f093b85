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

from services.cli.following import follow
from shared.bus.connecting import BusAccess
from shared.client import TallyClient
from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.states import JobStatus, RowStatus
from shared.watching import has_ended
from tests.containers.stack import Stack
from tests.integration.house import tracking_numbers

PATIENCE = 180.0
USER = "cli"
Strike = Callable[[Stack], None]

_TRIED_AGAIN_AFTER = 1.0


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
        pace = _Pace()
        async with asyncio.timeout(PATIENCE):
            if strike is not None:
                await follow(client, job_id, lambda job: job.cursor >= rows // 2, pace.note)
                await asyncio.to_thread(strike, stack)
            await follow(client, job_id, has_ended, pace.note)
        return await _books(stack, client, job_id, path, pace.standstill)


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
            await asyncio.sleep(_TRIED_AGAIN_AFTER)
        else:
            return


class _Pace:
    """The longest time for which no row of a job went through."""

    def __init__(self) -> None:
        self._cursor, self._moved = 0, time.monotonic()
        self.standstill = 0.0

    def note(self, job: JobDocument, _: RowDocument | None) -> None:
        """Look at the job as it is now."""
        if job.cursor > self._cursor:
            moved, self._moved = self._moved, time.monotonic()
            if self._cursor:
                self.standstill = max(self.standstill, self._moved - moved)
            self._cursor = job.cursor


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
