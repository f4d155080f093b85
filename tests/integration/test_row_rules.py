"""Rules of a row's way that close a known hole each (DESIGN §4), where no other file of tests is about them."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nats.aio.client import Client

from services.coordinator.running.dispatch import Dispatcher
from shared.bus import topology
from shared.bus.ledger import Ledger
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts import subjects
from shared.contracts.commands import ShipCommand
from tests.contract.messages import SHIPMENT
from tests.integration.house import House, tracking_numbers
from tests.integration.nats_servers import connected

WITHIN = 60


@pytest.fixture
async def bus(house: House) -> AsyncIterator[Client]:
    connection = await connected(house.status["nats_url"])
    yield connection
    await connection.close()


@pytest.fixture
async def publisher(nats_url: str) -> AsyncIterator[Publisher]:
    connection = await connected(nats_url)
    await topology.apply(connection.jetstream())
    yield Publisher(connection.jetstream())
    await connection.close()


def command(
    row_number: int = 1, *, attempt: int = 1, epoch: str = "e", recover: bool = False, **fields: Any
) -> ShipCommand:
    known = {"job_id": uuid.uuid4().hex, "reference": uuid.uuid4().hex, "not_after": datetime.now(UTC), **fields}
    return ShipCommand(row_number=row_number, attempt=attempt, epoch=epoch, shipment=SHIPMENT, recover=recover, **known)


def test_two_jobs_of_one_file_started_at_one_instant_buy_each_row_once(house: House) -> None:
    path = house.orders("at-once.csv", 12, seed=81)
    with house.faults({"match": {"path": "/ship"}, "fault": "latency", "ms": 60}), ThreadPoolExecutor(2) as people:
        submitted = people.map(lambda _: house.json("ship", str(path), "--mode", "auto", "--detach"), range(2))
        job_ids = [job["job_id"] for job in submitted]
        jobs = [house.finished(job_id) for job_id in job_ids]
    for job in jobs:
        if job["status"] == "failed":
            # It met a row that the other one had in flight.
            assert job["error"]["code"] == "E-4006"
            assert house.run("resume", job["job_id"]).returncode == 0
    sold = sum((house.sold(job_id) for job_id in job_ids), Counter())
    assert (sold.total(), set(sold.values())) == (12, {1})
    assert len(set(tracking_numbers(path))) == 12
    rows = [row["status"] for job_id in job_ids for row in house.json("rows", job_id)]
    assert Counter(rows) == {"shipped": 12, "skipped": 12}


async def test_a_command_past_its_time_calls_nobody(house: House, bus: Client) -> None:
    publisher = Publisher(bus.jetstream())
    ledger = Ledger(bus, publisher)
    late = command(epoch=await ledger.refresh(), not_after=datetime.now(UTC) - timedelta(seconds=1))
    subject = subjects.ship_command(late.job_id)
    await publisher.publish(subjects.COMMANDS, subject, late, message_id=fresh_id())
    async with asyncio.timeout(WITHIN):
        while await publisher.last(subjects.COMMANDS, subject) is not None:
            pass  # each look is an answer of the server's
    assert await ledger.last(late.job_id, 1) is None
    assert late.reference not in {sold["reference"] for sold in house.shipments()}


async def test_a_command_takes_the_slot_of_one_that_is_settled(publisher: Publisher) -> None:
    dispatcher = Dispatcher(publisher)
    settled = command(1)
    following = command(2, job_id=settled.job_id)
    await dispatcher.ship(settled)
    await dispatcher.ship(following)
    assert await dispatcher.waiting(settled.job_id) == following


async def test_a_late_command_does_not_take_the_slot_of_a_newer_one(publisher: Publisher) -> None:
    dispatcher = Dispatcher(publisher)
    newer = command(2)
    await dispatcher.ship(newer)
    await dispatcher.ship(command(1, job_id=newer.job_id))
    assert await dispatcher.waiting(newer.job_id) == newer


async def test_a_command_that_asks_for_a_look_up_stays_against_one_that_does_not(publisher: Publisher) -> None:
    dispatcher = Dispatcher(publisher)
    careful = command(1, recover=True)
    await dispatcher.ship(careful)
    await dispatcher.ship(command(1, job_id=careful.job_id))
    assert await dispatcher.waiting(careful.job_id) == careful


async def test_a_command_of_another_epoch_is_replaced(publisher: Publisher) -> None:
    dispatcher = Dispatcher(publisher)
    lost = command(1)
    present = command(1, job_id=lost.job_id, epoch="f", recover=True)
    await dispatcher.ship(lost)
    await dispatcher.ship(present)
    assert await dispatcher.waiting(lost.job_id) == present
