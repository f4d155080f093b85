"""Job requests published by somebody else: plain JSON, from any NATS client."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from tests.integration.house import House


@pytest.fixture
async def bus(house: House) -> AsyncIterator[Client]:
    connection = await nats.connect(house.status["nats_url"])
    yield connection
    await connection.close()


async def publish(bus: Client, body: bytes) -> None:
    await bus.jetstream().publish("tally.requests.submit", body)


async def answer(bus: Client, body: bytes, wanted: str) -> dict[str, Any]:
    """Publish a request; the first event of the wanted type that follows."""
    events = await bus.subscribe("tally.events.*.*")
    await publish(bus, body)
    async with asyncio.timeout(30):
        async for message in events.messages:
            event = json.loads(message.data)
            if event["type"] == wanted:
                await events.unsubscribe()
                return event
    raise AssertionError("the subscription ended")


def request(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "request_id": name,
        "name": "From the ERP",
        "source": {"kind": "csv", "path": f"{name}.csv"},
        "mode": "auto",
        "requested_by": "erp",
        **changes,
    }


async def test_plain_json_on_the_subject_is_a_job(house: House, bus: Client) -> None:
    house.orders("erp-1.csv", 3, seed=60)
    event = await answer(bus, json.dumps(request("erp-1")).encode(), "completed")
    assert event["request_id"] == "erp-1"
    assert event["job"]["rows"]["shipped"] == 3
    assert event["job"]["requested_by"] == "erp"


async def test_the_same_request_twice_is_one_job(house: House, bus: Client) -> None:
    house.orders("erp-2.csv", 3, seed=61)
    body = json.dumps(request("erp-2")).encode()
    first = await answer(bus, body, "completed")
    again = await answer(bus, body, "accepted")
    assert again["job_id"] == first["job_id"]
    assert house.sold(first["job_id"]).total() == 3
    assert sum(job["request_id"] == "erp-2" for job in house.json("jobs")) == 1


async def test_a_request_of_a_newer_version_is_rejected_and_can_be_published_again(house: House, bus: Client) -> None:
    house.orders("erp-9.csv", 2, seed=69)
    newer = request("erp-9", version=99, mode="a mode to come")
    event = await answer(bus, json.dumps(newer).encode(), "rejected")
    assert (event["request_id"], event["error"]["code"]) == ("erp-9", "E-2023")
    completed = await answer(bus, json.dumps(request("erp-9")).encode(), "completed")
    assert completed["job"]["rows"]["shipped"] == 2


async def test_a_call_of_a_newer_version_is_answered_with_an_error(house: House, bus: Client) -> None:
    assert house.status["services"]
    reply = await bus.request("tally.api.list", b'{"version": 99}', timeout=10)
    assert json.loads(reply.data)["error"]["code"] == "E-4060"


async def test_the_same_id_with_another_body_is_rejected(house: House, bus: Client) -> None:
    house.orders("erp-3.csv", 2, seed=62)
    await answer(bus, json.dumps(request("erp-3")).encode(), "completed")
    event = await answer(bus, json.dumps(request("erp-3", where="state = 'CA'")).encode(), "rejected")
    assert event["error"]["code"] == "E-2021"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "JSON"),
        (b"not json", "JSON"),
        (b"[]", "object"),
        (b'{"request_id": "x-1"}', "source"),
        (b'{"request_id": 7, "source": {"kind": "csv", "path": "a.csv"}}', "request_id"),
        (b'{"request_id": "x-2", "source": {"kind": "fax", "path": "a.csv"}}', "source"),
        (b'{"request_id": "x-3", "source": {"kind": "csv", "path": "a.csv"}, "mode": "yolo"}', "mode"),
        (b"\xff\xfe\x00", "JSON"),
        (b'{"request_id": "\\ud800"}', "JSON"),
        (b'{"request_id": "x-\\u0000", "source": {"kind": "csv", "path": "a.csv"}}', "request_id"),
        (b"[" * 100_000, "JSON"),
    ],
)
async def test_a_malformed_request_is_rejected_with_its_code_and_place(bus: Client, body: bytes, reason: str) -> None:
    event = await answer(bus, body, "rejected")
    assert event["error"]["code"] == "E-2020"
    assert reason in event["error"]["message"]


async def test_a_rejection_is_kept_and_stops_nothing(house: House, bus: Client) -> None:
    await answer(bus, b'{"request_id": "kept-1", "source": 1}', "rejected")
    house.orders("erp-4.csv", 2, seed=63)
    await answer(bus, json.dumps(request("erp-4")).encode(), "completed")
    job = next(job for job in house.json("jobs") if job["request_id"] == "kept-1")
    assert (job["status"], job["error"]["code"]) == ("failed", "E-2020")
    kept = await bus.jetstream().get_last_msg("EVENTS", f"tally.events.{job['job_id']}.rejected")
    assert json.loads(kept.data or b"")["error"]["code"] == "E-2020"


async def test_fields_that_nobody_knows_are_ignored(house: House, bus: Client) -> None:
    house.orders("erp-5.csv", 1, seed=64)
    event = await answer(bus, json.dumps(request("erp-5", colour="blue")).encode(), "completed")
    assert event["job"]["rows"]["shipped"] == 1


async def test_poison_on_the_command_and_outcome_subjects_stops_nothing(house: House, bus: Client) -> None:
    js = bus.jetstream()
    await js.publish("tally.commands.ship.poison", b"{}", stream="COMMANDS")
    await js.publish("tally.commands.writeback.abc.poison.1", b"\x00", stream="COMMANDS")
    await js.publish("tally.ledger.poison.1", b"nonsense", stream="LEDGER")
    await js.publish("tally.outcomes.writeback.abc", b"[]", stream="OUTCOMES")
    house.orders("erp-6.csv", 2, seed=65)
    event = await answer(bus, json.dumps(request("erp-6")).encode(), "completed")
    assert event["job"]["rows"]["shipped"] == 2
