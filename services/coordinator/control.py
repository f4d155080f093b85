"""The control calls `tally.api.*`: what clients ask and order (DESIGN §3, §7)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from services.coordinator.answering import Answerer, answering
from services.coordinator.database import queries, restarting, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.restarting import RestartOrder
from services.coordinator.database.voids import VoidOrder
from services.coordinator.intake.inspection import Inspections
from services.coordinator.preview.approval import Approval
from services.coordinator.preview.preview import Previews
from services.coordinator.running.lookups import LookUps
from services.coordinator.running.progress import Progress
from services.coordinator.running.withdrawal import Withdrawal
from services.coordinator.sources.restoring import Restoring
from services.coordinator.sources.verification import Verification
from shared.bus.ledger import Ledger
from shared.clock import Clock
from shared.contracts.api import (
    ApproveJob,
    ControlJob,
    FetchLabel,
    InspectSource,
    JobList,
    ListJobs,
    ListRows,
    PreviewSource,
    ResolveRow,
    RestartJob,
    RestoreJob,
    RowList,
    ShowJob,
    ShowRow,
    VerifyJob,
    VoidRows,
)
from shared.contracts.documents import (
    InspectionDocument,
    JobDocument,
    PreviewDocument,
    RowDocument,
    VerificationDocument,
)
from shared.contracts.restoring import Restoration
from shared.contracts.states import JobStatus, RowStatus
from shared.errors import REQUEST_MALFORMED, TallyError
from shared.telemetry import logger

log = logger("control")

_LABEL_WITHIN = 5.0


class Control:
    """Answers the control calls."""

    def __init__(
        self,
        database: Database,
        progress: Progress,
        ledger: Ledger,
        withdrawal: Withdrawal,
        lookups: LookUps,
        restoring: Restoring,
        verification: Verification,
        inspections: Inspections,
        previews: Previews,
        approval: Approval,
        clock: Clock,
    ) -> None:
        self._database = database
        self._progress = progress
        self._ledger = ledger
        self._withdrawal = withdrawal
        self._lookups = lookups
        self._restoring = restoring
        self._verification = verification
        self._inspections = inspections
        self._previews = previews
        self._approval = approval
        self._clock = clock

    def calls(self) -> dict[str, Answerer]:
        """Every call by name, each from a request's body to a `Reply`'s."""
        return {
            "list": answering(ListJobs, self.list_jobs),
            "show": answering(ShowJob, self.show),
            "rows": answering(ListRows, self.rows),
            "row": answering(ShowRow, self.row),
            "preview": answering(PreviewSource, self.preview),
            "inspect": answering(InspectSource, self.inspect),
            "verify": answering(VerifyJob, self.verify),
            "resolve": answering(ResolveRow, self.resolve),
            "restart": answering(RestartJob, self.restart),
            "fetch-label": answering(FetchLabel, self.fetch_label),
            "restore": answering(RestoreJob, self.restore),
            "void": answering(VoidRows, self.void),
            "approve": answering(ApproveJob, self.approve),
            "reject": answering(ControlJob, self.reject),
            "pause": answering(ControlJob, self.pause),
            "resume": answering(ControlJob, self.resume),
            "cancel": answering(ControlJob, self.cancel),
        }

    async def list_jobs(self, call: ListJobs) -> JobList:
        """The newest jobs."""
        before = None if call.before is None else datetime.fromisoformat(call.before)
        return JobList(jobs=tuple(await self._database.read(queries.list_jobs, call.status, call.limit, before)))

    async def show(self, call: ShowJob) -> JobDocument:
        """One job."""
        return await self._database.read(queries.show_job, call.job_id, call.request_id)

    async def rows(self, call: ListRows) -> RowList:
        """A page of a job's rows."""
        rows = await self._database.read(queries.list_rows, call.job_id, call.status, call.after, call.limit)
        return RowList(rows=tuple(rows), next_after=rows[-1].row_number if len(rows) == call.limit else None)

    async def row(self, call: ShowRow) -> RowDocument:
        """One row."""
        return await self._database.read(queries.show_row, call.job_id, call.row_number)

    async def preview(self, call: PreviewSource) -> PreviewDocument:
        """What a source would cost."""
        return await self._previews.preview(call)

    async def inspect(self, call: InspectSource) -> InspectionDocument:
        """What a source is, and what would become of its orders."""
        return await self._inspections.inspect(call)

    async def verify(self, call: VerifyJob) -> VerificationDocument:
        """A job's numbers against its source."""
        return await self._verification.verify(call)

    async def approve(self, call: ApproveJob) -> JobDocument:
        """Let a previewed job run, where it is still what the person saw."""
        await self._approval.approve(call)
        return await self._document(call)

    async def reject(self, call: ControlJob) -> JobDocument:
        """Turn a previewed job down."""
        await self._progress.commit(steps.reject, call.job_id, call.by, self._clock())
        return await self._document(call)

    async def pause(self, call: ControlJob) -> JobDocument:
        """Stop a job after the row in flight."""
        return await self._halt(call, JobStatus.PAUSED)

    async def cancel(self, call: ControlJob) -> JobDocument:
        """End a job. A row in flight that nobody has claimed is withdrawn; a claimed one is still recorded."""
        document = await self._halt(call, JobStatus.CANCELLED)
        await self._withdrawal.withdraw(call.job_id)
        return document

    async def resume(self, call: ControlJob) -> JobDocument:
        """Take a job up again at its row.

        A failed row gets a new attempt only after its ledger was read: a label that was sold after all is recorded
        instead.
        """
        failed = await self._database.read(queries.list_rows, call.job_id, RowStatus.FAILED, 0, 1)
        for row in failed:
            for outcome in await self._ledger.outcomes(call.job_id, row.row_number):
                await self._progress.record(outcome)
        await self._progress.commit(steps.resume, call.job_id, call.by, self._clock(), self._progress.issue())
        return await self._document(call)

    async def resolve(self, call: ResolveRow) -> RowDocument:
        """Record what a person found out about a row in doubt; resume then goes on.

        The label of a shipped one is fetched at once; where the carrier is slow it comes later.
        """
        finding = steps.Finding(call.tracking_number, call.by, call.reason)
        await self._progress.commit(steps.resolve, call.job_id, call.row_number, finding, self._clock())
        if finding.tracking_number is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LABEL_WITHIN):
                    await self._lookups.recover_of(call.job_id)
        return await self._database.read(queries.show_row, call.job_id, call.row_number)

    async def restart(self, call: RestartJob) -> JobDocument:
        """Do a job over; the new job, which may still be to be taken in."""
        order = RestartOrder(call.by, call.mode)
        await self._progress.commit(restarting.restart, call.job_id, order, self._clock())
        old = await self._database.read(queries.show_job, call.job_id)
        return await self._database.read(queries.show_job, old.restarted_as)

    async def fetch_label(self, call: FetchLabel) -> RowDocument:
        """Fetch a lost label from the carrier; the row with it."""
        await self._lookups.fetch_again(call.job_id, call.row_number, call.by)
        return await self._database.read(queries.show_row, call.job_id, call.row_number)

    async def restore(self, call: RestoreJob) -> Restoration:
        """Put a job's source back as it was, or tell what that replaces."""
        return await self._restoring.restore(call)

    async def void(self, call: VoidRows) -> RowList:
        """Order voids; the rows named, as they are with the orders given."""
        if call.tracking_number is None:
            order = VoidOrder(call.row_numbers, call.by)
            await self._progress.commit(voids.order_voids, call.job_id, order, self._clock())
        elif len(call.row_numbers) == 1:
            await self._progress.commit(
                voids.order_second_void,
                call.job_id,
                call.row_numbers[0],
                call.tracking_number,
                call.by,
                self._clock(),
            )
        else:
            raise TallyError(REQUEST_MALFORMED, reason="a tracking number goes with exactly one row")
        rows = [await self._database.read(queries.show_row, call.job_id, number) for number in call.row_numbers]
        return RowList(rows=tuple(rows))

    async def _halt(self, call: ControlJob, target: JobStatus) -> JobDocument:
        await self._progress.commit(steps.halt, call.job_id, target, call.by, self._clock())
        return await self._document(call)

    async def _document(self, call: ControlJob) -> JobDocument:
        return await self._database.read(queries.show_job, call.job_id)
