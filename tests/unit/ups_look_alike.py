"""A scripted HTTP server on a real socket, for the tests of the UPS client: each request meets the next act."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.unit import ups_bodies

TOKEN_PATH = "/security/v1/oauth/token"
SHIP_PATH = "/api/shipments/v2409/ship"
VOID_PATH = f"/api/shipments/v2409/void/cancel/{ups_bodies.TRACKING_NUMBER}"
RATE_PATH = "/api/rating/v2409/Rate"
RECOVERY_PATH = "/api/labels/v1/recovery"
TRACK_PATH = f"/api/track/v1/reference/details/{ups_bodies.REFERENCE}"


@dataclass(frozen=True)
class Received:
    """A whole request; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


def replying(status: int, body: bytes = b"", *, announced: int | None = None, **headers: str) -> Act:
    """Answer; `announced` overrides the Content-Length, after which the connection ends."""

    async def act(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body) if announced is None else announced}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        if announced is not None:
            writer.close()

    return act


async def hanging_up(writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""
    writer.close()


async def hanging(_writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close the connection to the last."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def token(value: str = "token-1", life: str = "14399") -> Act:
    """A token, every value a string as UPS writes them."""
    body = {"token_type": "Bearer", "access_token": value, "expires_in": life, "status": "approved"}
    return replying(200, json.dumps(body).encode())


@dataclass
class LookAlike:
    """What the server is to do, and what reached it; a path's last act goes on for ever.

    `remnants` has the bytes after the last whole request of every connection that ended: empty where it ended cleanly.
    """

    url: str = ""
    acts: dict[str, deque[Act]] = field(default_factory=lambda: defaultdict(deque))
    received: list[Received] = field(default_factory=list)
    remnants: list[bytes] = field(default_factory=list)
    connections: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def on(self, path: str, *acts: Act) -> None:
        """What requests for `path` meet, one after the other."""
        self.acts[path] = deque(acts)

    def count(self, path: str) -> int:
        """How many whole requests for `path` arrived."""
        return sum(request.path == path for request in self.received)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a request or the end of a connection makes `condition` true."""
        async with asyncio.timeout(5), self.changed:
            await self.changed.wait_for(condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError):
                while not writer.is_closing():
                    request = await self._next_request(reader)
                    if request is None:
                        break
                    self.received.append(request)
                    await self._notify()
                    acts = self.acts[request.path]
                    await (acts.popleft() if len(acts) > 1 else acts[0])(writer)
        finally:
            await closed(writer)

    async def _next_request(self, reader: asyncio.StreamReader) -> Received | None:
        head = b""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode().rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError as error:
            self.remnants.append(head + error.partial)
            await self._notify()
            return None
        method, target, _ = first.split(" ")
        return Received(method, target, headers, body)

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


@asynccontextmanager
async def look_alike() -> AsyncIterator[LookAlike]:
    """A server that hands out tokens and does else as it is told."""
    look = LookAlike()
    look.on(TOKEN_PATH, token())
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(look.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    look.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield look
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
