"""A job's tracking numbers against its source, on demand: what lacks there is written once more."""

from __future__ import annotations

from collections import Counter

from services.coordinator.database import checks, queries
from services.coordinator.database.engine import Database
from services.coordinator.running.progress import Progress
from services.coordinator.sources.checker import SourceChecker
from shared.clock import Clock
from shared.contracts.api import VerifyJob
from shared.contracts.documents import VerificationDocument
from shared.errors import ILLEGAL_TRANSITION, PURGED, TallyError

_ROWS_LISTED = 500


class Verification:
    """Compares, tells, and has written again."""

    def __init__(self, database: Database, checker: SourceChecker, progress: Progress, clock: Clock) -> None:
        self._database = database
        self._checker = checker
        self._progress = progress
        self._clock = clock

    async def verify(self, call: VerifyJob) -> VerificationDocument:
        """What stands in the job's source; with `rewrite` what lacks there is ordered to be written once more.

        Raises E-4003, E-4005 for a job without a source, E-4040 for one that is purged,
        and E-1xxx where the source cannot be read.
        """
        job = await self._database.read(queries.show_job, call.job_id)
        if job.source is None:
            raise TallyError(ILLEGAL_TRANSITION, action="Verifying", job_id=job.job_id, status="without a source")
        if job.purged_at is not None:
            raise TallyError(PURGED, action="Verifying it", job_id=job.job_id)
        expected = await self._database.read(checks.count_expected, job.job_id)
        rows = await self._checker.unverified(job)
        wanting = [row.row_number for row in rows if row.verdict != "replaced"]
        rewritten = 0
        if call.rewrite and (wanting or job.write_back.failed):
            step = await self._progress.commit(checks.order_again, job.job_id, wanting, call.by, self._clock())
            rewritten = len(step.writebacks)
            job = await self._database.read(queries.show_job, call.job_id)
        counts, verdicts = job.write_back, Counter(row.verdict for row in rows)
        return VerificationDocument(
            job_id=job.job_id,
            source=job.source,
            matching=expected - len(rows) + verdicts["voided"],
            missing=verdicts["missing"],
            other=verdicts["other"],
            gone=verdicts["gone"],
            replaced=verdicts["replaced"],
            voided=verdicts["voided"],
            due=counts.due,
            failed=counts.failed,
            removed=counts.removed,
            rewritten=rewritten,
            agrees=not wanting and not counts.due and not counts.failed,
            rows=tuple(rows[:_ROWS_LISTED]),
        )
