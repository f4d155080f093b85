"""Publishes the request of a job again that nobody takes in: the bus lost it, with its store."""

from __future__ import annotations

from datetime import timedelta

from services.coordinator.database import intake
from services.coordinator.database.engine import Database
from services.coordinator.running.progress import Progress
from shared.clock import Clock
from shared.telemetry import logger

log = logger("resubmission")

# An intake says that it goes on with every page of rows; superseding one that lives costs time and nothing else.
STALLED_AFTER = timedelta(seconds=120)


class Resubmission:
    """Looks for jobs that were accepted and are not being taken in."""

    def __init__(self, database: Database, progress: Progress, clock: Clock) -> None:
        self._database = database
        self._progress = progress
        self._clock = clock

    async def round(self) -> None:
        """Publish every stalled request once."""
        since = self._clock() - STALLED_AFTER
        for job_id, request in await self._database.read(intake.stalled_requests, since):
            log.warning("a request was lost; published again", job=job_id)
            await self._progress.commit(intake.resubmit, job_id, request, self._clock())
