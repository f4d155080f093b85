"""One HTTP exchange with UPS, and what its failure proves about what was sent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from services.shipper.carriers.carrier import DeadlinePassedError
from services.shipper.carriers.ups.bodies import Headers
from shared.failpoints import failpoint
from shared.settings import CarrierSettings

# httpcore's events just before a request's head and its body are written; pinned by tests, checked at every exchange.
HEAD_IS_NEXT = "http11.send_request_headers.started"
BODY_IS_NEXT = "http11.send_request_body.started"

# A connection the server closed while it idled is noticed only after the request was written to it, which leaves the
# outcome unknown. So connections idle for less time than servers commonly keep them (5 s and more).
KEEPALIVE_EXPIRY = 3.0
_LONGEST_CONNECT = 5.0
# The token is fetched outside the limiter.
_SPARE_CONNECTIONS = 2

_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NotSentError(Exception):
    """The exchange failed before the request's first byte went."""


class LostError(Exception):
    """The exchange failed after the first byte went: what the carrier did is not known."""


@dataclass(frozen=True)
class Reply:
    """A whole answer; header names ignore case."""

    status: int
    headers: Headers
    body: bytes


class SendWatch:
    """Stands where the bytes go: `check` may still forbid them, and `sent` tells whether the first one went.

    To be passed to httpx as the request extension `trace`. An exception of `check` closes the connection unused.
    """

    __slots__ = ("_check", "sent")

    def __init__(self, check: Callable[[], None] | None = None) -> None:
        self._check = check
        self.sent = False

    async def __call__(self, event: str, _info: Mapping[str, Any]) -> None:
        if event == HEAD_IS_NEXT:
            if self._check:
                failpoint("shipper.before_send")
                self._check()
            self.sent = True
        # A process frozen between head and body must not complete the request on thawing; a head alone sells nothing.
        elif event == BODY_IS_NEXT and self._check:
            failpoint("shipper.before_body")
            self._check()


def connect(settings: CarrierSettings) -> httpx.AsyncClient:
    """The one client of an account: pooled, HTTP/1.1, no redirects, no time-outs of its own but for connecting.

    On Linux data that UPS's host does not acknowledge within `settings.tcp_user_timeout` is given up, so that the
    kernel cannot deliver a request long after its call ended.
    """
    options = []
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = int(settings.tcp_user_timeout * 1000)
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds))
    connections = settings.max_concurrency + _SPARE_CONNECTIONS
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEPALIVE_EXPIRY
    )
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(limits=limits, socket_options=options))


def request(
    method: str, url: httpx.URL, headers: list[tuple[bytes, bytes]], body: bytes, seconds: float
) -> httpx.Request:
    """A request made straight from its parts, which saves what the client would merge into every call.

    `seconds` is the time for the whole exchange.
    """
    # Connecting gives up before the exchange does: httpcore closes a socket in the TLS handshake on its own time-out
    # only, not on cancellation.
    timeout = min(seconds / 2, _LONGEST_CONNECT)
    return httpx.Request(
        method, url, headers=headers, content=body, extensions={"timeout": {"connect": timeout, "pool": timeout}}
    )


async def exchange(client: httpx.AsyncClient, message: httpx.Request, watch: SendWatch, seconds: float) -> Reply:
    """Send `message` and read the whole answer within `seconds`.

    Raises NotSentError, LostError, or what `watch` raises to forbid the sending.
    """
    message.extensions["trace"] = watch
    try:
        async with asyncio.timeout(seconds):
            response = await client.send(message)
    except DeadlinePassedError:
        raise
    except Exception as error:
        if watch.sent:
            # Names only: the texts of protocol errors quote headers.
            raise LostError(f"no whole answer after the request was sent ({type(error).__name__})") from error
        if isinstance(error, _BEFORE_SENDING):
            raise NotSentError(f"{type(error).__name__}: {error}") from error
        if isinstance(error, httpx.TransportError | TimeoutError | OSError):
            raise NotSentError(type(error).__name__) from error
        raise
    if not watch.sent:
        raise RuntimeError("httpcore no longer tells when it sends")
    return Reply(response.status_code, response.headers, response.content)
