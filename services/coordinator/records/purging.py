"""Purges jobs: labels by the shippers, ledger and events on the bus, personal data in the job database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.coordinator.answering import Answerer, answering
from services.coordinator.database import purging, queries
from services.coordinator.database.engine import Database
from services.coordinator.records.retention import reason_to_keep
from services.coordinator.running.progress import Progress
from shared.bus.ledger import Ledger
from shared.bus.publishing import Publisher
from shared.clock import Clock
from shared.contracts import subjects
from shared.contracts.purging import (
    DropLabels,
    KeptJob,
    LabelsDropped,
    PlanPurge,
    PurgeableJob,
    PurgedJob,
    PurgeJob,
    PurgePlan,
    RewriteDatabase,
    Rewritten,
)
from shared.contracts.states import RowStatus
from shared.errors import BUS_TIMEOUT, NOT_PURGEABLE, TallyError
from shared.telemetry import logger, tracing

log = logger("purging")

_LABELS_WITHIN = 60.0
_ROWS_A_PAGE = 500
_JOBS_A_PLAN = 500


class Purging:
    """The purge calls. Every step may be taken twice, so a purge that is cut short is finished by asking again."""

    def __init__(
        self,
        client: Client,
        publisher: Publisher,
        database: Database,
        progress: Progress,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._client = client
        self._publisher = publisher
        self._database = database
        self._progress = progress
        self._ledger = ledger
        self._clock = clock

    def calls(self) -> dict[str, Answerer]:
        """Every call by name, each from a request's body to a `Reply`'s."""
        return {
            "plan-purge": answering(PlanPurge, self.plan),
            "purge": answering(PurgeJob, self.purge),
            "rewrite-database": answering(RewriteDatabase, self.rewrite),
        }

    async def plan(self, call: PlanPurge) -> PurgePlan:
        """Which jobs a purge would take, and which of that age it leaves."""
        before = self._clock() - timedelta(seconds=call.older_than)
        found = await self._database.read(purging.ages, before, _JOBS_A_PLAN + 1)
        jobs, kept = list[PurgeableJob](), list[KeptJob]()
        taken = set[str]()
        for age in found[:_JOBS_A_PLAN]:
            # What is purged before it cannot be resumed any more.
            left = tuple(job_id for job_id in age.unfinished if job_id not in taken)
            reason = reason_to_keep(replace(age, unfinished=left), before)
            if reason is None:
                taken.add(age.job_id)
                jobs.append(
                    PurgeableJob(
                        job_id=age.job_id,
                        name=age.name,
                        status=age.status,
                        ended_at=age.ended_at,
                        rows=age.rows,
                        begun=age.begun,
                    )
                )
            else:
                kept.append(KeptJob(job_id=age.job_id, name=age.name, status=age.status, reason=reason))
        return PurgePlan(before=before, jobs=tuple(jobs), kept=tuple(kept), more=len(found) > _JOBS_A_PLAN)

    async def purge(self, call: PurgeJob) -> PurgedJob:
        """Purge one job; one that is purged already is left alone. Raises E-4003, E-4041, E-4042 or E-4002."""
        await self._expect_no_command(call.job_id)
        await self._record_late_sales(call.job_id)
        if not await self._database.write(purging.begin, call.job_id, call.before, call.by, self._clock()):
            return PurgedJob(job_id=call.job_id, rows=0, labels=0)
        labels = await self._drop_labels(call.job_id)
        for stream, subject in (
            (subjects.LEDGER, subjects.ledger_of(call.job_id)),
            (subjects.LEDGER, subjects.late_ledger_of(call.job_id)),
            (subjects.EVENTS, subjects.events_of(call.job_id)),
        ):
            await self._publisher.purge(stream, subject)
        rows = 0
        while (last := await self._database.write(purging.strip_rows, call.job_id, rows, _ROWS_A_PAGE)) is not None:
            rows = last
        removed = purging.Removed(rows, labels)
        await self._progress.commit(purging.finish, call.job_id, removed, call.by, self._clock())
        log.info("a job was purged", job=call.job_id, rows=rows, labels=labels)
        return PurgedJob(job_id=call.job_id, rows=rows, labels=labels)

    async def _expect_no_command(self, job_id: str) -> None:
        """Raise E-4041 while a ship command of the job waits: delivered again, it would find no outcome and buy."""
        if await self._publisher.last(subjects.COMMANDS, subjects.ship_command(job_id)) is not None:
            raise TallyError(NOT_PURGEABLE, job_id=job_id, reason="a shipper may still have a row of it in hand")

    async def _record_late_sales(self, job_id: str) -> None:
        """Record what was sold for failed rows and not told yet: with the ledger it would be lost."""
        after = 0
        while failed := await self._database.read(queries.list_rows, job_id, RowStatus.FAILED, after, _ROWS_A_PAGE):
            for row in failed:
                for outcome in await self._ledger.outcomes(job_id, row.row_number):
                    await self._progress.record(outcome)
            after = failed[-1].row_number

    async def rewrite(self, _: RewriteDatabase) -> Rewritten:
        """Have the job database's files written anew. Raises E-4043."""
        return Rewritten(rewritten=await self._database.rewrite())

    async def _drop_labels(self, job_id: str) -> int:
        """Have the shippers delete the job's labels; how many. Raises E-4042, or E-4002 where none answers."""
        count = 0
        while True:
            try:
                reply = await self._client.request(
                    subjects.LABELS_DROP,
                    DropLabels(job_id=job_id).encode(),
                    timeout=_LABELS_WITHIN,
                    headers=tracing.headers(),
                )
            except (NatsError, TimeoutError) as error:
                raise TallyError(
                    BUS_TIMEOUT, service="shipper", subject=subjects.LABELS_DROP, seconds=f"{_LABELS_WITHIN:g}"
                ) from error
            dropped = LabelsDropped.model_validate_json(reply.data)
            if dropped.error is not None:
                raise TallyError.from_body(dropped.error)
            count += dropped.dropped
            if not dropped.more:
                return count
