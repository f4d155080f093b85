"""What the transport sends, and what its failures prove, against real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from services.shipper.carriers.carrier import DeadlinePassedError, SendDeadline
from services.shipper.carriers.ups.transport import (
    BODY_IS_NEXT,
    HEAD_IS_NEXT,
    LostError,
    NotSentError,
    Reply,
    SendWatch,
    connect,
    exchange,
    request,
)
from shared.settings import CarrierSettings
from tests.unit.ups_look_alike import SHIP_PATH, LookAlike, closed, hanging, hanging_up, look_alike, replying

OK = replying(200, b"{}")


@pytest.fixture
async def server() -> AsyncIterator[LookAlike]:
    async with look_alike() as look:
        look.on(SHIP_PATH, OK)
        yield look


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with connect(CarrierSettings(max_concurrency=1)) as client:
        yield client


def passed() -> None:
    raise DeadlinePassedError


def passing_at(nth: int) -> Callable[[], None]:
    """A deadline that passes just before its nth check."""
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks == nth:
            raise DeadlinePassedError

    return check


def passed_once(event: asyncio.Event) -> Callable[[], None]:
    """A deadline that passes with `event`."""

    def check() -> None:
        if event.is_set():
            raise DeadlinePassedError

    return check


async def send(
    client: httpx.AsyncClient, url: str, check: Callable[[], None] | None = None, seconds: float = 5.0
) -> Reply:
    message = request("POST", httpx.URL(url + SHIP_PATH), [], b'{"ShipmentRequest":{}}', seconds)
    return await exchange(client, message, SendWatch(check), seconds)


async def test_a_passed_deadline_sends_nothing_on_a_new_connection(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    with pytest.raises(DeadlinePassedError):
        await send(client, server.url, passed)
    await server.until(lambda: server.remnants == [b""])
    assert server.received == []


async def test_a_passed_deadline_sends_nothing_on_a_kept_connection(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    await send(client, server.url)
    with pytest.raises(DeadlinePassedError):
        await send(client, server.url, passed)
    await server.until(lambda: server.remnants == [b""])
    assert len(server.received) == 1
    assert server.connections == 1


async def test_the_pool_goes_on_after_a_passed_deadline(server: LookAlike, client: httpx.AsyncClient) -> None:
    for _ in range(20):
        with pytest.raises(DeadlinePassedError):
            await send(client, server.url, passed)
        assert (await send(client, server.url)).status == 200
    assert len(server.received) == 20


async def test_a_deadline_that_passes_while_connecting_sends_nothing(client: httpx.AsyncClient) -> None:
    accepted = asyncio.Event()
    seen: list[bytes] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        seen.append(await reader.read())
        await closed(writer)
        ended.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        deadline = SendDeadline(seconds=1e-9)
        with pytest.raises(DeadlinePassedError):
            await send(client, url, deadline.check)
        async with asyncio.timeout(5):
            await accepted.wait()
            await ended.wait()
    assert seen == [b""]


async def test_a_deadline_that_passes_while_waiting_for_a_connection_sends_nothing(server: LookAlike) -> None:
    release = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await OK(writer)

    server.on(SHIP_PATH, held, held, held, OK)
    async with connect(CarrierSettings(max_concurrency=1)) as client:
        connections = 3
        holders = [asyncio.create_task(send(client, server.url)) for _ in range(connections)]
        await server.until(lambda: len(server.received) == connections)
        waiting = asyncio.create_task(send(client, server.url, passed_once(release)))
        release.set()
        with pytest.raises(DeadlinePassedError):
            await waiting
        assert [(await holder).status for holder in holders] == [200, 200, 200]
        assert len(server.received) == connections
        assert (await send(client, server.url)).status == 200


async def test_a_process_that_thaws_between_head_and_body_completes_no_request(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    with pytest.raises(DeadlinePassedError):
        await send(client, server.url, passing_at(2))
    await server.until(lambda: bool(server.remnants))
    assert server.received == []
    assert server.remnants[0].endswith(b"\r\n\r\n")
    assert b"ShipmentRequest" not in server.remnants[0]


async def test_httpcore_announces_head_and_body_before_their_bytes_go(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    events: list[str] = []

    async def trace(event: str, _info: object) -> None:
        events.append(event)

    for _ in range(2):
        message = request("POST", httpx.URL(server.url + SHIP_PATH), [], b"{}", 5.0)
        message.extensions["trace"] = trace
        await client.send(message)
    assert events.count(HEAD_IS_NEXT) == events.count(BODY_IS_NEXT) == 2


async def test_a_refused_connection_proves_that_nothing_was_sent(client: httpx.AsyncClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotSentError, match="ConnectError"):
        await send(client, f"http://127.0.0.1:{port}")


async def test_an_unknown_host_proves_that_nothing_was_sent(client: httpx.AsyncClient) -> None:
    with pytest.raises(NotSentError):
        await send(client, "http://carrier.invalid")


async def test_a_failed_tls_handshake_proves_that_nothing_was_sent(client: httpx.AsyncClient) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await closed(writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        with pytest.raises(NotSentError, match="ConnectError"):
            await send(client, f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}")


async def test_a_handshake_that_never_ends_proves_that_nothing_was_sent(client: httpx.AsyncClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotSentError, match="Timeout"):
        await send(client, f"https://127.0.0.1:{silent.getsockname()[1]}", seconds=0.05)


async def test_a_url_without_a_scheme_sends_nothing(client: httpx.AsyncClient) -> None:
    with pytest.raises(NotSentError):
        await send(client, "carrier")


async def test_a_connection_cut_instead_of_an_answer_leaves_the_outcome_unknown(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    server.on(SHIP_PATH, hanging_up)
    with pytest.raises(LostError):
        await send(client, server.url)


async def test_a_kept_connection_that_the_server_drops_on_the_request_leaves_the_outcome_unknown(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    server.on(SHIP_PATH, OK, hanging_up, OK)
    await send(client, server.url)
    with pytest.raises(LostError):
        await send(client, server.url)
    assert server.connections == 1
    assert len(server.received) == 2
    assert (await send(client, server.url)).status == 200


async def test_a_connection_that_was_closed_while_idle_is_not_used_again(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    async def answer_and_close(writer: asyncio.StreamWriter) -> None:
        await OK(writer)
        await closed(writer)
        ended.set()

    ended = asyncio.Event()
    server.on(SHIP_PATH, answer_and_close, OK)
    await send(client, server.url)
    await ended.wait()
    assert (await send(client, server.url)).status == 200
    assert server.connections == 2


async def test_an_answer_that_never_comes_leaves_the_outcome_unknown(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    server.on(SHIP_PATH, hanging)
    with pytest.raises(LostError, match="TimeoutError"):
        await send(client, server.url, seconds=0.1)
    server.on(SHIP_PATH, OK)
    assert (await send(client, server.url)).status == 200


async def test_a_body_cut_short_leaves_the_outcome_unknown(server: LookAlike, client: httpx.AsyncClient) -> None:
    server.on(SHIP_PATH, replying(200, b'{"Shipm', announced=500))
    with pytest.raises(LostError):
        await send(client, server.url)


async def test_a_body_that_cannot_be_decompressed_leaves_the_outcome_unknown(
    server: LookAlike, client: httpx.AsyncClient
) -> None:
    server.on(SHIP_PATH, replying(200, b"no gzip", Content_Encoding="gzip"))
    with pytest.raises(LostError, match="DecodingError"):
        await send(client, server.url)


async def test_a_reset_connection_leaves_the_outcome_unknown(server: LookAlike, client: httpx.AsyncClient) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server.on(SHIP_PATH, reset)
    with pytest.raises(LostError):
        await send(client, server.url)


async def test_the_text_of_a_lost_answer_quotes_nothing(server: LookAlike, client: httpx.AsyncClient) -> None:
    async def nonsense(writer: asyncio.StreamWriter) -> None:
        writer.write(b"Zo\xc3\xab M\xc3\xbcller, 7 Alder Court\r\n\r\n")

    server.on(SHIP_PATH, nonsense)
    with pytest.raises(LostError) as lost:
        await send(client, server.url)
    assert "Alder" not in str(lost.value)


async def test_a_compressed_answer_is_read(server: LookAlike, client: httpx.AsyncClient) -> None:
    server.on(SHIP_PATH, replying(201, gzip.compress(b'{"a":1}'), Content_Encoding="gzip", ApiErrorCode="7"))
    reply = await send(client, server.url)
    assert (reply.status, reply.body, reply.headers.get("apierrorcode")) == (201, b'{"a":1}', "7")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux's option")
async def test_the_kernel_gives_up_undelivered_data_with_the_call(server: LookAlike) -> None:
    async with connect(CarrierSettings(tcp_user_timeout=7.5)) as client:
        response = await client.get(server.url + SHIP_PATH)
        kept: socket.socket = response.extensions["network_stream"].get_extra_info("socket")
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7500
