"""The console's way to the bus: a client that is there once the bus is, and that answers who the console is."""

from __future__ import annotations

import asyncio

import stamina

from shared.addresses import without_credentials
from shared.bus.connecting import bus_access
from shared.client import TallyClient
from shared.errors import BUS_UNREACHABLE, TallyError
from shared.repeating import repeat
from shared.settings import ConsoleSettings
from shared.telemetry import logger

FIRST_TRY_WITHIN = 2.0
_LONGEST_WAIT = 3.0
_AFTER_A_LOSS = 0.5

log = logger("bus")


class Bus:
    """One connection for all who call; the console serves before it is there, and says that it is not."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._client: TallyClient | None = None
        self.tried = asyncio.Event()

    @property
    def client(self) -> TallyClient:
        """The client. Raises E-4001 while there is none."""
        if self._client is None:
            raise TallyError(BUS_UNREACHABLE, url=without_credentials(self._settings.nats_url))
        return self._client

    async def lacks(self) -> str | None:
        """A readiness check: whether the bus is there at this moment."""
        if self._client is None:
            return "not connected"
        return None if await self._client.is_answered() else "no answer"

    async def keep(self) -> None:
        """Connect, again and again until that succeeds, and anew where the connection was closed for good."""
        await repeat(self._stay, every=_AFTER_A_LOSS, log=log)

    async def _stay(self) -> None:
        async with await self._connected() as client:
            try:
                await client.announce("console")
                self._client = client
                self.tried.set()
                log.info("running")
                await client.until_closed()
            finally:
                self._client = None

    async def _connected(self) -> TallyClient:
        async for attempt in stamina.retry_context(
            on=TallyError, attempts=None, timeout=None, wait_initial=0.2, wait_max=_LONGEST_WAIT
        ):
            with attempt:
                try:
                    return await TallyClient.connect(bus_access(self._settings), self._settings.timeout)
                except TallyError:
                    self.tried.set()
                    raise
        raise AssertionError("unreachable")
