"""Publishes the request of a job again that nobody takes in: the bus lost it, with its store."""

from __future__ import annotations

from datetime import timedelta

from services.coordinator.database import intake
from services.coordinator.database.engine import Database
from shared.bus.publishing import Publisher, fresh_id
from shared.clock import Clock
from shared.contracts import subjects
from shared.telemetry import logger

log = logger("resubmission")

# An intake says that it goes on with every page of rows; superseding one that lives costs time and nothing else.
STALLED_AFTER = timedelta(seconds=120)


class Resubmission:
    """Looks for jobs that were accepted and are not being taken in."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._database = database
        self._publisher = publisher
        self._clock = clock

    async def round(self) -> None:
        """Publish every stalled request once."""
        since = self._clock() - STALLED_AFTER
        for job_id, request in await self._database.read(intake.stalled_requests, since):
            log.warning("a request was lost; published again", job=job_id)
            await self._database.write(intake.note_resubmitted, job_id, self._clock())
            await self._publisher.publish(subjects.REQUESTS, subjects.SUBMIT, request, message_id=fresh_id())
