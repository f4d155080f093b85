"""A connection to a house's bus: how it is made, how a question is asked and what of a failure is told."""

from __future__ import annotations

import asyncio
from typing import Any, Self, TypeVar

import stamina
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from pydantic import BaseModel

from shared.bus.connecting import BusAccess, Refusals
from shared.contracts import api, subjects
from shared.contracts.message import Message
from shared.errors import BUS_TIMEOUT, BUS_UNREACHABLE, TallyError
from shared.telemetry import tracing

DocumentT = TypeVar("DocumentT", bound=BaseModel)
INSPECT_TIMEOUT = 300.0
VOID_TIMEOUT = 60.0
NOBODY_FOR = 3.0
SILENCE = 2.0
# Whether there is a bus is decided at once; from then on it may come and go.
_FIRST_TRY: dict[str, Any] = {"allow_reconnect": False, "reconnect_time_wait": 0, "max_reconnect_attempts": 1}
_LATER_TRIES = {"allow_reconnect": True, "reconnect_time_wait": 0.5, "max_reconnect_attempts": -1}


class Connection:
    """A connection to a house's bus; what is asked over it is for those that extend it."""

    def __init__(
        self, connection: NatsClient, access: BusAccess, refusals: Refusals, timeout: float, closed: asyncio.Event
    ) -> None:
        self._connection = connection
        self._access = access
        self._refusals = refusals
        self._timeout = timeout
        self._closed = closed

    @classmethod
    async def connect(cls, bus: BusAccess | str, timeout: float = 10.0) -> Self:  # noqa: ASYNC109 - also each call's time-out
        """Connect to `bus`, at once or not at all; `timeout` seconds bound this and every later call.

        A connection that is lost later comes back by itself. Raises E-4001; E-5008 where the credentials are refused,
        E-5009 where TLS fails.
        """
        access = BusAccess(bus) if isinstance(bus, str) else bus
        refusals = Refusals(access)
        connection = NatsClient()
        closed = asyncio.Event()

        async def note_closed() -> None:
            closed.set()

        try:
            async with asyncio.timeout(timeout):
                await connection.connect(
                    **access.options(),
                    connect_timeout=max(1, round(timeout)),
                    ping_interval=5,
                    error_cb=refusals.note,
                    closed_cb=note_closed,
                    **_FIRST_TRY,
                )
        except (OSError, NatsError, TimeoutError) as error:
            raise access.refusal(error) or TallyError(BUS_UNREACHABLE, url=access.shown) from error
        connection.options.update(_LATER_TRIES)
        return cls(connection, access, refusals, timeout, closed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def is_answered(self, within: int = 1) -> bool:
        """Whether the bus answers at this moment, `within` seconds; one that is away comes back by itself."""
        if not self._connection.is_connected:
            return False
        try:
            await self._connection.flush(within)
        except (NatsError, TimeoutError):
            return False
        return True

    async def until_closed(self) -> None:
        """Return once the connection is over for good."""
        await self._closed.wait()

    def _unreachable(self) -> TallyError:
        """What to tell of a failure of the bus: that it refused us, where it said so, else that it is away."""
        return self._refusals.taken() or TallyError(BUS_UNREACHABLE, url=self._access.shown)

    async def _call(
        self, call: str, body: Message, document: type[DocumentT], within: float | None = None
    ) -> DocumentT:
        answer = await self._ask("coordinator", subjects.api(call), body, within)
        reply = api.Reply.model_validate_json(answer)
        if reply.error is not None:
            raise TallyError.from_body(reply.error)
        return document.model_validate(reply.result)

    async def _ask(self, service: str, subject: str, body: Message, within: float | None = None) -> bytes:
        seconds = within or self._timeout
        try:
            async with self._refusals.told_at_once(subject):
                message = await self._heard(subject, body, seconds)
        except (NoRespondersError, TimeoutError) as error:
            if refusal := self._refusals.taken():
                raise refusal from error
            if not self._connection.is_connected:
                raise self._unreachable() from error
            waited = min(seconds, NOBODY_FOR) if isinstance(error, NoRespondersError) else seconds
            raise TallyError(BUS_TIMEOUT, service=service, subject=subject, seconds=f"{waited:g}") from error
        except NatsError as error:
            raise self._unreachable() from error
        return message.data

    async def _heard(self, subject: str, body: Message, seconds: float) -> Msg:
        """The answer of whoever listens within `seconds`, or NoRespondersError, TimeoutError."""
        # A request that nobody listens for was delivered to nobody, so any call may be sent again; one that
        # timed out may have been heard, and is not.
        async for attempt in stamina.retry_context(
            on=NoRespondersError, attempts=None, timeout=min(seconds, NOBODY_FOR), wait_initial=0.1, wait_max=0.5
        ):
            with attempt:
                return await self._connection.request(
                    subject, body.encode(), timeout=seconds, headers=tracing.headers()
                )
        raise AssertionError("unreachable")

    async def _end(self, subscription: Subscription) -> None:
        if not self._connection.is_closed:
            await subscription.unsubscribe()
