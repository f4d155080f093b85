"""Tells in figures how the house stands and what rows come to."""

from __future__ import annotations

from datetime import datetime

from services.coordinator import metrics
from services.coordinator.database.engine import Database
from services.coordinator.database.figures import figures
from services.coordinator.database.trail import Ended
from shared.clock import Clock
from shared.contracts.states import JobStatus, RowStatus
from shared.telemetry import tracing

EVERY = 5.0


class Observation:
    """Reads the job database's figures, round by round."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def round(self) -> None:
        """Tell them once."""
        found = await self._database.read(figures)
        now = self._clock()
        for status, count in found.jobs.items():
            metrics.JOBS.labels(status.value).set(count)
        for row_status, count in found.open_rows.items():
            metrics.ROWS_OPEN.labels(row_status.value).set(count)
        metrics.LABELS_DUE.set(found.labels_due)
        metrics.WRITE_BACKS_DUE.set(found.write_backs_due)
        metrics.WRITE_BACK_AGE.set(_seconds(found.oldest_write_back, now))
        metrics.PROGRESS_AGE.set(_seconds(found.longest_still, now))
        metrics.READ_AT.set(now.timestamp())


def note_ended(job_id: str, ended: Ended, now: datetime) -> None:
    """Count a row that came to an outcome, and how long a shipped one took beyond the carrier's call.

    Its trace is told to be at its end.
    """
    metrics.ROWS.labels(ended.outcome.value).inc()
    if ended.outcome is RowStatus.SHIPPED and ended.began is not None and ended.carrier_ms is not None:
        metrics.OVERHEAD.observe(max(0.0, (now - ended.began).total_seconds() - ended.carrier_ms / 1000))
    if ended.began is not None:
        place = tracing.RowAttempt(job_id, ended.row_number, ended.attempt)
        tracing.record_row(place, ended.outcome.value, ended.error, ended.began, now)


def begin_at_nought() -> None:
    """Tell every outcome and state from the start, so that the first of each is seen as a rise."""
    for outcome in (RowStatus.SHIPPED, RowStatus.FAILED, RowStatus.IN_DOUBT):
        metrics.ROWS.labels(outcome.value)
    for status in JobStatus:
        metrics.JOBS_ENTERED.labels(status.value)


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
