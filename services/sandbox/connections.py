"""Answers that misbehave on the wire: connections that are cut, and answers that come too late."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Coroutine

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LINGER_NOT = struct.pack("ii", 1, 0)


class OpenProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with the connection's transport at hand in `scope["state"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Give every request of this connection its transport."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class CutConnection(Response):
    """No answer: the TCP connection is closed at once; with `reset` the client sees RST instead of FIN."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the signature is ASGI's
        """Cut the connection and return once it is gone."""
        await _cut(scope, receive, reset=self._reset)


class LateAnswer(Response):
    """An answer held back for `seconds`; where the sandbox stops meanwhile, the connection is cut instead."""

    def __init__(self, answer: Response, seconds: float, stopping: asyncio.Event) -> None:
        super().__init__()
        self._answer = answer
        self._seconds = seconds
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer a client that is still there."""
        gone = _gone(receive)
        await _first_of(gone, self._stopping.wait(), seconds=self._seconds)
        if self._stopping.is_set():
            await _cut(scope, receive, reset=False)
        else:
            await self._answer(scope, receive, send)


async def _cut(scope: Scope, receive: Receive, *, reset: bool) -> None:
    transport: asyncio.Transport = scope["state"]["transport"]
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*waits: Coroutine[None, None, object], seconds: float) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
