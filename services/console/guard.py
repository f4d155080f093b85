"""What every call passes before anything else: the host it names, its pace, and the headers of every answer."""

from __future__ import annotations

import asyncio
import ipaddress
import traceback
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.answers import failure
from shared.errors import FOREIGN_CALL, TallyError
from shared.telemetry import logger

LARGEST_BODY = 256 * 1024
BODY_WITHIN = 20.0
SEND_WITHIN = 20.0
_FRAMES = 5
_LOCAL = frozenset({"localhost"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

log = logger("http")


class Guard:
    """An ASGI application in front of `app`; `names` are the hosts it may be called by besides this machine's."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = _LOCAL | frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on if it names this console, as fast as whoever calls takes part."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guarded = _patient_send(_with_headers(send, scope["path"]))
        host = Headers(scope=scope).get("host", "")
        if not self._is_ours(host):
            todo = "Call it by its address, or name the host in TALLY_CONSOLE__NAMES."
            refusal = TallyError(FOREIGN_CALL, reason=f"it is for {host[:100] or 'no host'}", todo=todo).body
            await failure(refusal, 421)(scope, receive, guarded)
            return
        try:
            await self._app(scope, _bounded_receive(receive), guarded)
        except Exception as error:  # noqa: BLE001 - the last resort: whoever called was answered, or is cut off
            _note(scope, error)

    def _is_ours(self, host: str) -> bool:
        """Whether no other site's name stands there: an address cannot be bound anew by a site's name server."""
        name = _without_port(host.lower())
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def _note(scope: Scope, error: Exception) -> None:
    """Log what ended a call by its kind and place: its words may be a recipient's."""
    route = getattr(scope.get("route"), "path", "")
    if isinstance(error, TimeoutError):
        log.info("whoever called did not take the answer", method=scope["method"], route=route)
        return
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[-_FRAMES:]]
    log.error("a call failed", method=scope["method"], route=route, error=type(error).__name__, at=places)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _with_headers(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store" if path.startswith("/api/") else "no-cache")
        await send(message)

    return sending


def _patient_send(send: Send) -> Send:
    """Sends for SEND_WITHIN seconds; whoever does not take an answer by then gets the rest of it never."""

    async def sending(message: Message) -> None:
        async with asyncio.timeout(SEND_WITHIN):
            await send(message)

    return sending


def _bounded_receive(receive: Receive) -> Receive:
    """Receives a call's body, of LARGEST_BODY bytes and BODY_WITHIN seconds at most; after it only that they left."""
    deadline = asyncio.get_running_loop().time() + BODY_WITHIN
    is_whole = False
    size = 0

    async def receiving() -> Message:
        nonlocal is_whole, size
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(408, "its body came too slowly") from error
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise HTTPException(413, f"its body is larger than {LARGEST_BODY} bytes")
        is_whole = not message.get("more_body", False)
        return message

    return receiving
