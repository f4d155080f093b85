"""A service's connection to the bus: made once, come back to by itself, ended where the bus would not have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from faststream.nats import NatsBroker
from faststream.nats.security import NatsSecurity, NatsUserPassword
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.bus.connecting import BusAccess
from shared.errors import BUS_CREDENTIALS_REFUSED, BUS_PERMISSION_MISSING, BUS_UNREACHABLE, TallyError
from shared.telemetry import logger

CONNECT_FOR = 60.0
STOP_GRACE = 15.0

log = logger("bus")


class Link:
    """The broker of the service `name`; `end` is called where the connection is over for good, `ended_by` says why."""

    def __init__(
        self, name: str, access: BusAccess, *, is_stopping: Callable[[], bool], end: Callable[[], None]
    ) -> None:
        self.is_starting = True
        self.ended_by: TallyError | None = None
        self._access = access
        self._is_stopping = is_stopping
        self._stop = end
        self._told = ""
        options = access.options()
        self.broker = NatsBroker(
            options["servers"],
            inbox_prefix=options["inbox_prefix"],
            security=_security(options),
            name=f"tally-{name}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=5,
            max_outstanding_pings=2,
            graceful_timeout=STOP_GRACE,
            error_cb=self._failed,
            closed_cb=self._closed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            apply_types=False,
            logger=None,
        )

    @property
    def connection(self) -> Client | None:
        """The NATS connection, once there is one."""
        return self.broker._connection  # noqa: SLF001 - FastStream has no public accessor

    @property
    def is_connected(self) -> bool:
        """Whether the bus is there at this moment."""
        return self.connection is not None and self.connection.is_connected

    @property
    def unreachable(self) -> TallyError:
        """What is told of a bus that is away: E-4001."""
        return TallyError(BUS_UNREACHABLE, url=self._access.shown)

    async def connect(self) -> None:
        """Connect, trying for CONNECT_FOR seconds; raises TallyError E-4001, or E-5008 or E-5009 at once."""
        try:
            async with asyncio.timeout(CONNECT_FOR):
                await self.broker.connect()
        except (NatsError, OSError, TimeoutError) as error:
            raise self.unreachable from error

    async def _failed(self, error: Exception) -> None:
        """Say why the bus refuses us; what merely failed is tried again, and said where it is noticed.

        Before the first connection a refusal ends the process, and so does a change of the credentials afterwards:
        whoever starts it anew reads the secrets anew. A missing permission or a certificate may yet be mended.
        """
        refusal = self._access.refusal(error)
        if refusal is None:
            return
        if self.is_starting and refusal.kind is not BUS_PERMISSION_MISSING:
            raise refusal from error
        if str(refusal) != self._told:
            self._told = str(refusal)
            log.error("the bus refused", code=refusal.kind.code, reason=self._told)
        if refusal.kind is BUS_CREDENTIALS_REFUSED:
            self._end(refusal)

    async def _closed(self) -> None:
        if not self._is_stopping():
            log.error("the bus connection closed for good; ending so that a supervisor starts anew")
            last_error = None if self.connection is None else self.connection.last_error
            refusal = self._access.refusal(last_error) if last_error else None
            self._end(refusal or self.unreachable)

    def _end(self, error: TallyError) -> None:
        self.ended_by = error
        self._stop()

    async def _disconnected(self) -> None:
        if not self._is_stopping():
            log.warning("disconnected from the bus")

    async def _reconnected(self) -> None:
        log.info("reconnected to the bus")


def _security(options: dict[str, Any]) -> NatsSecurity:
    """The user and TLS of nats-py's options, as FastStream takes them."""
    tls = options.get("tls")
    if "user" in options:
        return NatsUserPassword(
            options["user"], options["password"], ssl_context=tls, tls_handshake_first=tls is not None
        )
    return NatsSecurity(ssl_context=tls, tls_handshake_first=tls is not None)
