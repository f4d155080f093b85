"""What a shipper reports of a void, over a real bus and with a carrier that answers as each test tells it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from services.shipper.carriers.carrier import NothingCreatedError
from services.shipper.voiding import MOST_DELIVERIES, Voiding
from shared.bus import topology
from shared.bus.publishing import Publisher
from shared.contracts import subjects
from shared.contracts.commands import VoidCommand
from shared.errors import CARRIER_BLOCKED, CARRIER_UNAVAILABLE, VOID_REFUSED, TallyError

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SILENT = TallyError(CARRIER_UNAVAILABLE, operation="Void", reason="HTTP 503")
REFUSED = TallyError(VOID_REFUSED, shipment_id="1Z1", carrier_code="190102", carrier_message="too late")
BLOCKED = NothingCreatedError(TallyError(CARRIER_BLOCKED, carrier_code="1", carrier_message="no").body)


class Carrier:
    """Answers a void with an error, or with none."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.voided: list[str] = []

    async def void(self, shipment_id: str) -> None:
        self.voided.append(shipment_id)
        if self.error is not None:
            raise self.error


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(nats_url)
    await topology.apply(connection.jetstream())
    yield connection
    await connection.close()


def command(job_id: str) -> VoidCommand:
    return VoidCommand(job_id=job_id, row_number=1, shipment_id="1Z1", tracking_numbers=("1Z1",))


async def void(bus: Client, carrier: Any, job_id: str, delivery: int = 1) -> dict[str, Any]:
    """The outcome that is published."""
    await Voiding(carrier, Publisher(bus.jetstream()), lambda: NOW).void(command(job_id), delivery=delivery)
    stored = await bus.jetstream().get_last_msg(subjects.OUTCOMES, subjects.void_outcome(job_id))
    return json.loads(stored.data or b"")


async def test_a_void_is_reported(bus: Client) -> None:
    outcome = await void(bus, Carrier(), "void-done")
    assert (outcome["status"], outcome["shipment_id"], outcome["error"]) == ("voided", "1Z1", None)


@pytest.mark.parametrize(("error", "code"), [(REFUSED, "E-3020"), (BLOCKED, "E-3004")])
async def test_a_refusal_is_reported_at_once(bus: Client, error: Exception, code: str) -> None:
    outcome = await void(bus, Carrier(error), f"void-{code.lower()}")
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", code)


async def test_where_the_carrier_does_not_say_the_command_comes_again_until_its_last_delivery(bus: Client) -> None:
    for delivery in range(1, MOST_DELIVERIES):
        with pytest.raises(TallyError, match="E-3006"):
            await void(bus, Carrier(SILENT), "void-silent", delivery)
    outcome = await void(bus, Carrier(SILENT), "void-silent", MOST_DELIVERIES)
    assert (outcome["status"], outcome["error"]["code"]) == ("refused", "E-3006")


async def test_a_void_that_ends_its_shipper_time_and_again_is_given_up_without_another_call(bus: Client) -> None:
    carrier = Carrier()
    outcome = await void(bus, carrier, "void-poison", MOST_DELIVERIES + 1)
    assert (outcome["status"], outcome["error"]["code"], carrier.voided) == ("refused", "E-3006", [])
