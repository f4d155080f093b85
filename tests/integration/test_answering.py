"""Requests to a service: each gets one answer, and one that cannot be answered none at all."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client

from shared.bus.service import Service
from shared.contracts import subjects
from shared.contracts.api import ServiceStatus, refused_version
from shared.contracts.lookups import FindShipment, ShipmentSought
from shared.settings import ServiceSettings


async def _echo(body: bytes) -> bytes:
    return body


async def _break_down(_body: bytes) -> bytes:
    raise OSError("no space left on the device")


async def _find(body: bytes) -> bytes:
    return FindShipment.model_validate_json(body).encode()


@pytest.fixture(autouse=True)
async def _service(nats_url: str) -> AsyncIterator[None]:
    """A service that answers."""
    service = Service("answering", ServiceSettings(nats_url=nats_url))
    running = asyncio.Event()

    async def register() -> None:
        service.answer("test.echo", _echo)
        service.answer("test.broken", _break_down)
        service.answer("test.versioned", _find)

        async def tell() -> None:
            running.set()

        service.background(tell)

    async def stop() -> None:
        return

    serving = asyncio.create_task(service._run(register, stop))
    async with asyncio.timeout(30):
        await running.wait()
    yield
    service._stopping.set()
    await serving


async def answers(client: Client, subject: str) -> list[bytes]:
    """Every answer to one request that is there before the next request is answered."""
    inbox = client.new_inbox()
    received = await client.subscribe(inbox)
    await client.publish(subject, b"asked", reply=inbox)
    await client.request("test.echo", b"", timeout=10)
    await client.request("test.echo", b"", timeout=10)
    await client.flush()
    found = []
    while received.pending_msgs:
        found.append((await received.next_msg()).data)
    return found


async def test_a_request_has_one_answer(client: Client) -> None:
    assert await answers(client, "test.echo") == [b"asked"]
    (status,) = await answers(client, subjects.STATUS)
    assert ServiceStatus.model_validate_json(status).name == "answering"


async def test_a_request_that_cannot_be_answered_has_no_answer_that_somebody_must_make_sense_of(
    client: Client,
) -> None:
    assert await answers(client, "test.broken") == []


async def test_a_request_of_a_newer_version_is_answered_with_an_error(client: Client) -> None:
    reply = await client.request("test.versioned", b'{"version": 99}', timeout=10)
    refused = refused_version(reply.data)
    assert refused is not None
    assert refused.code == "E-4060"
    assert refused_version(ShipmentSought().encode()) is None
