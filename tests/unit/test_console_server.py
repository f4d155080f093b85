"""The console's server, without a bus: what it serves, and whom it does not wait for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.console import app, guard, server
from shared.listening import listen
from shared.settings import ConsoleSettings, ListenSettings

TOKEN = "a token that nobody guesses"
WEB = Path(app.__file__).parent / "web"
SHORT = 0.2


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A console whose bus is away."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        away = f"nats://127.0.0.1:{nobody.getsockname()[1]}"
    settings = ConsoleSettings(nats_url=away, console=ListenSettings(token=SecretStr(TOKEN)))
    stopping = asyncio.Event()
    listener = listen("127.0.0.1", 0, setting="")
    running = server.server_of(app.build(settings, stopping), listener, stopping)
    task = asyncio.create_task(running.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        await task


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client


async def test_without_a_bus_it_lives_is_not_ready_and_says_what_is_lacking(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).status_code == 200
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["lacking"]) == (503, {"bus": "not connected"})
    jobs = await client.get("/api/v1/jobs")
    assert (jobs.status_code, jobs.json()["code"]) == (503, "E-4001")


async def test_the_page_is_served_whole_and_may_run_nothing_but_its_own(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "style=" not in page.text
    for file in WEB.iterdir():
        answer = await client.get(f"/{file.name}")
        assert answer.text == file.read_text(encoding="utf-8")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/../app.py", "/%2e%2e/app.py", "/web/", "/__pycache__/"):
        assert (await client.get(path)).status_code == 404


async def test_what_the_api_answers_is_kept_by_nobody(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/session")).headers["cache-control"] == "no-store"


async def test_a_call_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"[" * 10_000

    for body in (b"[" * (guard.LARGEST_BODY + 1), in_chunks()):
        answer = await client.post("/api/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "E-2030")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "E-2030"),
        ("PUT", "/api/v1/jobs", 405, "E-2030"),
        ("GET", "/api/v1/jobs/NO_SUCH_ID", 422, "E-2020"),
        ("GET", "/api/v1/jobs?limit=0", 422, "E-2020"),
        ("GET", "/api/v1/jobs/x/events?replay=perhaps", 422, "E-2020"),
    ],
)
async def test_a_call_that_cannot_be_is_answered_with_the_one_error_document(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_fault_is_named_by_its_place_and_never_by_its_value(client: httpx.AsyncClient) -> None:
    secret = {"request_id": "r", "source": {"kind": "csv", "path": ""}, "mode": "Maya Okafor"}
    answer = await client.post("/api/v1/jobs", json=secret)
    assert answer.status_code == 422
    assert "source.csv.path" in answer.json()["message"]
    assert "Maya" not in answer.text


async def test_a_body_that_is_not_json_is_told_so(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/jobs", data={"request_id": "r"})
    assert (answer.status_code, answer.json()["code"]) == (415, "E-2030")


async def end_of(url: str, *sent: bytes) -> bytes:
    """What a caller gets that sends this and then nothing, once the console gives it up."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_caller_that_never_ends_its_headers_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADERS_WITHIN", SHORT)
    assert await end_of(url, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ") == b""
    assert await end_of(url) == b""


async def test_a_caller_that_never_ends_its_body_is_told_and_given_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_WITHIN", SHORT)
    head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"
    assert (await end_of(url, head.encode())).startswith(b"HTTP/1.1 408 ")
