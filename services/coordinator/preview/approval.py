"""A person's approval of a preview: good for what they saw, asked for again where that is not so any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from services.coordinator.database import approving, queries, steps
from services.coordinator.database.approving import AwaitedApproval, RatedRow
from services.coordinator.database.engine import Database
from services.coordinator.intake.batch import Batch
from services.coordinator.intake.intake import Intake
from services.coordinator.preview.drift import Comparison, Drift, unreadable
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.pricing import Heard, Pricing
from services.coordinator.running.progress import Progress
from shared.clock import Clock
from shared.contracts.api import ApproveJob
from shared.contracts.source import source_label
from shared.errors import ESTIMATE_CHANGED, SOURCE_CHANGED_SINCE, ErrorBody, TallyError
from shared.shipping import Money

_PAGE = 2000


class Approval:
    """Approves jobs. An estimate older than `rates_hold` is asked of the carrier anew."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        estimator: Estimator,
        progress: Progress,
        clock: Clock,
        rates_hold: timedelta,
    ) -> None:
        self._database = database
        self._intake = intake
        self._estimator = estimator
        self._progress = progress
        self._clock = clock
        self._rates_hold = rates_hold

    async def approve(self, call: ApproveJob) -> None:
        """Let a previewed job run. Whoever names the total that they saw is held to it.

        Raises E-4005; E-4030 where the source changed since it was read, and E-4031 where the total is another one by
        now. What changed is noted, so the same approval with the total as it is now holds.
        """
        if call.estimate is not None and (changes := await self._changes(call)):
            raise _asked_again(changes)
        await self._progress.commit(
            steps.approve, call.job_id, call.by, self._clock(), self._progress.issue(), call.estimate
        )

    async def _changes(self, call: ApproveJob) -> list[TallyError]:
        """What is not as the person saw it; nothing where there is nothing to approve."""
        awaited = await self._database.read(approving.awaited_approval, call.job_id)
        if awaited is None:
            return []
        drift, what = await self._drift(call.job_id, awaited)
        rates_change = await self._rates_change(call, awaited)
        changes = [] if rates_change is None else [rates_change]
        if drift.digest not in {"", awaited.told}:
            # Last: a change that is noted as told and was not, for rating took its time or failed, is never told.
            await self._database.write(approving.note_drift, call.job_id, drift, call.by, self._clock())
            source = source_label(awaited.request.source)
            changes.insert(0, TallyError(SOURCE_CHANGED_SINCE, path=source, what=what))
        return changes

    async def _drift(self, job_id: str, awaited: AwaitedApproval) -> tuple[Drift, str]:
        """How the source changed, and that as a person reads it."""
        try:
            async with self._intake.open(awaited.request, to_ship=False) as batch:
                drift = await self._compared(job_id, batch)
        except TallyError as error:
            return unreadable(error.body.code), f"it cannot be read as it was ({error.body.code})"
        return drift, str(drift)

    async def _compared(self, job_id: str, batch: Batch) -> Drift:
        key = batch.mapping.order_column(batch.snapshot.columns)
        comparison, after = Comparison(batch.snapshot.orders(batch.request.where, key), batch.would_ship), 0
        while page := await self._database.read(approving.order_checksums, job_id, after, _PAGE):
            await asyncio.to_thread(comparison.take, [checksums for _, checksums in page])
            after = page[-1][0]
        return await asyncio.to_thread(comparison.finish)

    async def _rates_change(self, call: ApproveJob, awaited: AwaitedApproval) -> TallyError | None:
        now = self._clock()
        if awaited.rated_at is None or now - awaited.rated_at > self._rates_hold:
            changed = await self._changed_rates(call.job_id)
            await self._database.write(approving.reprice, call.job_id, changed, self._clock())
        job = await self._database.read(queries.show_job, call.job_id)
        if job.estimate is None or job.estimate == call.estimate:
            return None
        return TallyError(ESTIMATE_CHANGED, now=job.estimate, seen=call.estimate)

    async def _changed_rates(self, job_id: str) -> list[tuple[int, Money]]:
        """The rows that the carrier names another price for than before; what it does not rate in time stays."""
        pricing = Pricing(self._estimator)
        async for row in self._rated(job_id):
            pricing.add(row.shipment)

        async def heard(_: Heard) -> None: ...

        await pricing.rate(heard)
        changed = []
        async for row in self._rated(job_id):
            price = pricing.price(pricing.add(row.shipment))
            if price.cost is not None and not price.estimated and price.cost != row.estimate:
                changed.append((row.row_number, price.cost))
        return changed

    async def _rated(self, job_id: str) -> AsyncIterator[RatedRow]:
        after = 0
        while page := await self._database.read(approving.rated_rows, job_id, after, _PAGE):
            for row in page:
                yield row
            after = page[-1].row_number


def _asked_again(changes: Sequence[TallyError]) -> TallyError:
    """The first change, the others below it."""
    first, *others = changes
    details: tuple[ErrorBody, ...] = tuple(change.body for change in others)
    return TallyError.from_body(first.body.model_copy(update={"details": details}))
