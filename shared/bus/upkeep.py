"""A service's part in the streams and consumers: their owner brings them up, and again where they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, ServiceUnavailableError

from shared.bus import topology
from shared.bus.renewal import Renewal
from shared.errors import TOPOLOGY_MISSING, TallyError
from shared.telemetry import logger

WATCH_INTERVAL = 2.0
TOPOLOGY_FOR = 120.0
_LOOK_EVERY = 0.2

log = logger("bus")


class Upkeep:
    """Streams, each in `replicas` copies, and consumers: the service `owns` them, or `needs` some."""

    def __init__(
        self, stopping: asyncio.Event, replicas: int, *, owns: bool, needs: tuple[topology.Consumer, ...]
    ) -> None:
        self._stopping = stopping
        self._replicas = replicas
        self._owns = owns
        self._needs = needs
        self._told = ""

    async def has_topology(self, js: JetStreamContext) -> bool:
        """Bring the streams and consumers up, or wait until they are; False where it is told to stop meanwhile.

        Raises E-4061 where the bus keeps no streams, E-5011 where nobody brings them up in TOPOLOGY_FOR seconds.
        """
        if self._owns:
            await topology.apply_once_possible(js, self._replicas, within=TOPOLOGY_FOR)
            return True
        try:
            async with asyncio.timeout(TOPOLOGY_FOR):
                while not await self._sees_its_consumers(js):
                    if await self._told_to_stop_within(_LOOK_EVERY):
                        return False
        except TimeoutError as error:
            missing = ", ".join(consumer.durable for consumer in self._needs)
            raise TallyError(TOPOLOGY_MISSING, consumers=missing, seconds=f"{TOPOLOGY_FOR:g}") from error
        return True

    async def _sees_its_consumers(self, js: JetStreamContext) -> bool:
        try:
            if not await topology.is_missing(js, self._needs):
                return True
            reason = "no coordinator brought them up"
        except (NatsError, APIError) as error:
            reason = str(error) or type(error).__name__
        if reason != self._told:
            self._told = reason
            log.info("waiting for the streams", reason=reason)
        return False

    async def _told_to_stop_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def watch(self, js: JetStreamContext, consumers: Sequence[topology.Consumer]) -> None:
        """Notice that a consumer or a stream is gone (a deleted store, say); the owner brings them up again."""
        renewal = Renewal(js)
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                if self._owns:
                    await self._mend(js, renewal)
                elif await topology.is_missing(js, tuple(consumers)):
                    log.warning("a consumer is gone; a coordinator brings it up again")
            except (NatsError, APIError, ServiceUnavailableError, TimeoutError) as error:
                log.warning("the bus is away", error=repr(error))

    async def _mend(self, js: JetStreamContext, renewal: Renewal) -> None:
        if await topology.is_missing(js, topology.CONSUMERS):
            log.warning("a consumer is gone; bringing the topology up again")
            await topology.apply(js, self._replicas)
        await renewal.round()
