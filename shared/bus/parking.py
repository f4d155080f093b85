"""Leaves a message of a newer version to a process that reads it, and says so (docs/decisions/0008-upgrades.md).

The message is neither acknowledged nor worked on: it keeps its place, and the slot of its job, and is delivered again
to whoever of the service is there, upgraded or not. What is told of it, on the stream PARKED, keeps these deliveries
apart from those that ended a process.
"""

from __future__ import annotations

import os
import random
import socket

from nats.aio.msg import Msg

from shared.bus.publishing import Publisher, fresh_id
from shared.clock import Clock, utc_now
from shared.contracts import subjects
from shared.contracts.message import NewerVersionError
from shared.contracts.parking import Parked
from shared.telemetry import logger
from shared.telemetry.metrics import PARKED

log = logger("parking")

_PAUSE = 2.0
_LONGEST_PAUSE = 30.0


class Parking:
    """Parks messages for one process of `service`; `parked` counts how often it did."""

    def __init__(self, service: str, publisher: Publisher, clock: Clock = utc_now) -> None:
        self._service = service
        self._publisher = publisher
        self._clock = clock
        self.parked = 0

    async def park(self, message: Msg, error: NewerVersionError) -> None:
        """Have `message` come again in a while, the later the more often it came; raises what a publish raises."""
        place = message.metadata
        told = Parked(
            stream=place.stream,
            sequence=place.sequence.stream,
            subject=message.subject,
            deliveries=place.num_delivered or 1,
            service=self._service,
            host=socket.gethostname(),
            pid=os.getpid(),
            at=self._clock(),
            error=error.body,
        )
        self.parked += 1
        PARKED.labels(self._service).inc()
        log.warning(
            "a message of a newer version waits for an upgraded process",
            subject=told.subject,
            version=error.version,
            deliveries=told.deliveries,
            code=error.body.code,
        )
        await self._publisher.publish(subjects.PARKED, _subject_of(message), told, message_id=fresh_id())
        pause = min(_PAUSE * told.deliveries, _LONGEST_PAUSE)
        await message.nak(delay=pause * random.uniform(0.5, 1))  # nosec B311  # noqa: S311 - jitter is no secret

    async def deliveries(self, message: Msg) -> int:
        """How many times a message has been delivered since it was last parked, this time included."""
        delivered = message.metadata.num_delivered or 1
        if delivered == 1:
            return 1
        stored = await self._publisher.last(subjects.PARKED, _subject_of(message))
        if stored is None:
            return delivered
        return delivered - Parked.model_validate_json(stored.data).deliveries


def _subject_of(message: Msg) -> str:
    return subjects.parked(message.metadata.stream, message.metadata.sequence.stream)
