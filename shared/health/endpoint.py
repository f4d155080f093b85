"""A process's HTTP endpoint, in its own event loop: `/livez`, `/readyz` and `/metrics`.

`/livez` is answered for as long as the event loop turns. `/readyz` is 200, or 503 with what is lacking, by name.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app

from shared.health.readiness import Readiness
from shared.listening import listen
from shared.settings.service import HttpSettings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]

_GRACE = 1


class Endpoint:
    """What is answered by HTTP; an ASGI application, for a process that serves HTTP anyway."""

    def __init__(self, service: str, readiness: Readiness, registry: CollectorRegistry) -> None:
        self._service = service
        self._readiness = readiness
        self._metrics = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        if path == "/metrics":
            await self._metrics(scope, receive, send)
        elif path == "/livez":
            await _answer(send, 200, {"live": True, "service": self._service})
        elif path == "/readyz":
            lacking = await self._readiness.lacking()
            body = {"ready": not lacking, "service": self._service, "lacking": lacking}
            await _answer(send, 503 if lacking else 200, body)
        else:
            await _answer(send, 404, {"paths": ["/livez", "/readyz", "/metrics"]})


@asynccontextmanager
async def serving(endpoint: Endpoint, settings: HttpSettings) -> AsyncIterator[None]:
    """Serve for as long as the block runs; nothing where no port is set. Raises TallyError E-5002."""
    if not settings.port:
        yield
        return
    listener = listen(settings.host, settings.port, setting="TALLY_HTTP__PORT")
    config = uvicorn.Config(
        endpoint,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    task = asyncio.get_running_loop().create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn as a guest: signals are for the process that it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
