"""A message of a newer version waits where it is for a process that reads it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, ClassVar

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from services.shipper.handlers import Handlers
from services.shipper.shipping import Shipping
from services.shipper.voiding import Voiding
from shared.bus import topology
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher, SubjectOccupiedError, fresh_id
from shared.bus.pulling import Pull
from shared.contracts import subjects
from shared.contracts.commands import ShipCommand
from shared.contracts.message import Message, NewerVersionError
from shared.contracts.parking import Parked
from tests.contract.messages import MESSAGES


class NextMessage(Message):
    """A message of a release to come, as JSON says."""

    newest = 99
    content: dict[str, Any]

    def encode(self) -> bytes:
        """The content itself."""
        return json.dumps(self.content).encode()


class Noted(Shipping):
    """Shipping that only notes what it is given."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.commands: list[ShipCommand] = []

    async def ship(self, command: ShipCommand, *, first_delivery: bool) -> bool:  # noqa: ARG002 - the signature is Shipping's
        """Note it."""
        self.commands.append(command)
        return True


@pytest.fixture
def publisher(client: Client) -> Publisher:
    return Publisher(client.jetstream())


@asynccontextmanager
async def shipper(client: Client, handle: Callable[[Msg], Awaitable[None]], parking: Parking) -> AsyncIterator[None]:
    """What takes ship commands."""
    pull = asyncio.create_task(Pull(client, topology.SHIP_COMMANDS, handle, parking, concurrency=4).run())
    try:
        yield
    finally:
        pull.cancel()
        with suppress(asyncio.CancelledError):
            await pull


async def test_a_newer_command_keeps_its_slot_and_is_told_of_until_a_shipper_that_reads_it_comes(
    client: Client, publisher: Publisher
) -> None:
    job = uuid.uuid4().hex
    command = MESSAGES["ship-command"].model_copy(update={"job_id": job})
    newer = NextMessage(content=json.loads(command.encode()) | {"version": ShipCommand.newest + 1, "insured": True})
    subject = subjects.ship_command(job)
    ack = await publisher.publish(subjects.COMMANDS, subject, newer, message_id=fresh_id())
    parking, noted = Parking("shipper", publisher), Noted()
    old = Handlers(noted, Voiding(None, publisher, None), publisher, parking)  # type: ignore[arg-type]
    got: asyncio.Queue[tuple[int, int, bytes]] = asyncio.Queue()

    async def upgraded(message: Msg) -> None:
        await got.put((message.metadata.num_delivered or 0, await parking.deliveries(message), message.data))
        await message.ack()

    async with shipper(client, old.ship, parking), asyncio.timeout(20):
        told = None
        while told is None or Parked.model_validate_json(told.data).deliveries < 2:
            told = await publisher.last(subjects.PARKED, subjects.parked(subjects.COMMANDS, ack.seq))
            await asyncio.sleep(0.05)
        parked = Parked.model_validate_json(told.data)
        assert (parked.subject, parked.service, parked.error.code) == (subject, "shipper", "E-4060")
        with pytest.raises(SubjectOccupiedError):
            await publisher.publish(subjects.COMMANDS, subject, command, message_id=fresh_id())
    async with shipper(client, upgraded, parking), asyncio.timeout(40):
        delivered, since_parked, body = await got.get()
    assert noted.commands == []
    assert delivered >= 3
    assert since_parked == 1
    assert json.loads(body)["insured"] is True


class Parkable(Msg):
    """A message delivered often, as the bus would deliver it; it notes the pauses it is given."""

    pauses: ClassVar[list[float]] = []

    async def nak(self, delay: float | None = None) -> None:
        """Note it."""
        self.pauses.append(delay or 0.0)


async def test_a_parked_message_comes_at_no_fixed_beat_so_that_it_meets_every_process(
    client: Client, publisher: Publisher
) -> None:
    parking = Parking("shipper", publisher)
    reply = f"$JS.ACK.{subjects.COMMANDS}.shipper.40.{uuid.uuid4().int % 10**9}.40.{10**18}.0"
    message = Parkable(client, subject=subjects.ship_command(uuid.uuid4().hex), reply=reply)
    for _ in range(20):
        await parking.park(message, NewerVersionError("ShipCommand", 2, 1))
    assert all(15 <= pause <= 30 for pause in message.pauses)
    assert max(message.pauses) - min(message.pauses) > 1


async def test_processes_renew_their_requests_at_no_common_beat_so_that_each_is_the_first_in_line_at_times(
    client: Client, publisher: Publisher
) -> None:
    consumer = topology.SHIP_COMMANDS
    asked = await client.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.durable}")
    parking = Parking("shipper", publisher)
    async with AsyncExitStack() as shippers, asyncio.timeout(20):
        for _ in range(12):
            await shippers.enter_async_context(shipper(client, Msg.ack, parking))
        lives = [json.loads((await asked.next_msg(10)).data)["expires"] / 1e9 for _ in range(12)]
    await asked.unsubscribe()
    assert all(2.5 <= life <= 5 for life in lives)
    assert max(lives) - min(lives) > 0.25
