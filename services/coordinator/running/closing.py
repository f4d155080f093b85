"""The end of a job: its source is checked once against its numbers; what is missing is written again (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from services.coordinator.database import checks
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.progress import Progress
from shared.clock import Clock
from shared.telemetry import logger

log = logger("closing")

# The rows of a job whose numbers were written and do not stand in its source.
Check = Callable[[str], Awaitable[Sequence[int]]]


class Closing:
    """Has the sources of jobs at their end checked."""

    def __init__(self, ends: JobsAtTheirEnd, check: Check, progress: Progress, clock: Clock) -> None:
        self._ends = ends
        self._check = check
        self._progress = progress
        self._clock = clock

    async def run(self) -> None:
        """Check one job after the other, for ever; one whose check fails comes again by the watchdog."""
        while True:
            job_id = await self._ends.next()
            try:
                missing = await self._check(job_id)
                if missing:
                    log.warning("numbers are missing in a source; written again", job=job_id, rows=len(missing))
                await self._progress.commit(checks.record_check, job_id, missing, self._clock())
            except Exception:
                log.exception("a job's source could not be checked", job=job_id)
            finally:
                self._ends.forget(job_id)
