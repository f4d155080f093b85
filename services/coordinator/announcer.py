"""Tells whoever watches: a job's state changes at once, its progress a few times a second."""

from __future__ import annotations

import asyncio
import time

from services.coordinator.database import queries
from services.coordinator.database.engine import Database
from services.coordinator.metrics import JOBS_ENTERED
from shared.bus.publishing import Publisher, fresh_id
from shared.clock import Clock
from shared.contracts import subjects
from shared.contracts.documents import RowDocument
from shared.contracts.events import EventType, JobEvent
from shared.contracts.states import JobStatus
from shared.errors import ErrorBody, TallyError
from shared.telemetry import logger, tracing

log = logger("announcer")

PROGRESS_INTERVAL = 0.2
_RESTS_FOR = 4.0


class Announcer:
    """Publishes job events. They inform and decide nothing, so a lost one harms no row."""

    def __init__(self, publisher: Publisher, database: Database, clock: Clock) -> None:
        self._publisher = publisher
        self._database = database
        self._clock = clock
        self._moved: dict[str, int | None] = {}

    def moved(self, job_id: str, row_number: int | None = None) -> None:
        """Note that a row was settled, or rows were priced; the next round of `run` says so."""
        self._moved[job_id] = row_number

    async def run(self) -> None:
        """Publish progress for ever, each job's at most once an interval.

        With many jobs the interval grows, for telling takes at most a fifth of the time.
        """
        took = 0.0
        while True:
            await asyncio.sleep(max(PROGRESS_INTERVAL, took * _RESTS_FOR))
            moved, self._moved = self._moved, {}
            started = time.monotonic()
            for job_id, row_number in moved.items():
                await self._say(EventType.PROGRESS, job_id, row_number)
            took = time.monotonic() - started

    async def entered(self, job_id: str, status: JobStatus, row_number: int | None = None) -> None:
        """Say that a job entered a state."""
        JOBS_ENTERED.labels(status.value).inc()
        tracing.record_state(job_id, status.value)
        row_number = self._moved.pop(job_id, row_number)
        await self._say(EventType.entered(status), job_id, row_number)

    async def rejected(self, job_id: str | None, request_id: str | None, error: ErrorBody) -> None:
        """Say that a request was rejected, and why."""
        event = JobEvent(type=EventType.REJECTED, at=self._clock(), job_id=job_id, request_id=request_id, error=error)
        await self._publish(event)

    async def _say(self, kind: EventType, job_id: str, row_number: int | None) -> None:
        job = await self._database.read(queries.show_job, job_id)
        row = None
        if row_number is not None:
            row = _for_all(await self._database.read(queries.show_row, job_id, row_number))
        await self._publish(
            JobEvent(
                type=kind,
                at=self._clock(),
                job_id=job_id,
                request_id=job.request_id,
                job=job,
                last_row=row,
                error=job.error,
            )
        )

    async def _publish(self, event: JobEvent) -> None:
        try:
            await self._publisher.publish(
                subjects.EVENTS,
                subjects.event(event.job_id, event.type),
                event,
                message_id=fresh_id(),
            )
        except TallyError as error:
            log.warning("an event was not published", job=event.job_id, type=event.type, code=error.body.code)


def _for_all(row: RowDocument) -> RowDocument:
    """A row as whoever reads events may see it: without what tells who it goes to, which a call answers."""
    return row.model_copy(update={"recipient": "", "destination": "", "evidence": (), "warnings": ()})
