"""Jobs and rows: shown, controlled, voided, verified against their source and put back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from shared.client.connection import INSPECT_TIMEOUT, VOID_TIMEOUT, Connection
from shared.contracts import api
from shared.contracts.documents import JobDocument, RowDocument, VerificationDocument
from shared.contracts.restoring import Restoration
from shared.contracts.states import JobMode, JobStatus, RowStatus
from shared.shipping import Money

APPROVE_TIMEOUT = 300.0
RESTORE_TIMEOUT = 70.0
VOIDS_A_CALL = 200


class Jobs(Connection):
    """What is asked and ordered of jobs."""

    async def list_jobs(
        self, *, status: JobStatus | None = None, limit: int = 50, before: str | None = None
    ) -> tuple[JobDocument, ...]:
        """The newest jobs first; `before` pages on from a job's `created_at` (ISO time)."""
        return (await self._call("list", api.ListJobs(status=status, limit=limit, before=before), api.JobList)).jobs

    async def show(self, job_id: str | None = None, *, request_id: str | None = None) -> JobDocument:
        """One job, by its id or by the request that made it. Raises E-4003."""
        return await self._call("show", api.ShowJob(job_id=job_id, request_id=request_id), JobDocument)

    async def rows(
        self, job_id: str, *, status: RowStatus | None = None, after: int = 0, page: int = 200
    ) -> AsyncGenerator[RowDocument]:
        """A job's rows in order, fetched `page` at a time. Raises E-4003."""
        following: int | None = after
        while following is not None:
            rows = await self.row_page(job_id, status=status, after=following, limit=page)
            for row in rows.rows:
                yield row
            following = rows.next_after

    async def row_page(
        self, job_id: str, *, status: RowStatus | None = None, after: int = 0, limit: int = 200
    ) -> api.RowList:
        """A page of a job's rows, behind row `after`. Raises E-4003."""
        return await self._call(
            "rows", api.ListRows(job_id=job_id, status=status, after=after, limit=limit), api.RowList
        )

    async def row(self, job_id: str, row_number: int) -> RowDocument:
        """One row, with the evidence of every look-up. Raises E-4003 or E-4004."""
        return await self._call("row", api.ShowRow(job_id=job_id, row_number=row_number), RowDocument)

    async def approve(self, job_id: str, by: str = "", *, seen: Money | None = None) -> JobDocument:
        """Approve a job's preview: it starts to ship. `seen` is the estimate that the approval is good for.

        Raises E-4005; with `seen`, E-4030 where the source changed since the preview and E-4031 where the estimate did.
        """
        call = api.ApproveJob(job_id=job_id, by=by, estimate=seen)
        return await self._call("approve", call, JobDocument, within=APPROVE_TIMEOUT)

    async def reject(self, job_id: str, by: str = "") -> JobDocument:
        """Refuse a job's preview: nothing ships. Raises E-4005."""
        return await self._control("reject", job_id, by)

    async def pause(self, job_id: str, by: str = "") -> JobDocument:
        """Stop a job after the row in hand. Raises E-4005."""
        return await self._control("pause", job_id, by)

    async def resume(self, job_id: str, by: str = "") -> JobDocument:
        """Let a failed, paused or interrupted job go on at its cursor. Raises E-4005."""
        return await self._control("resume", job_id, by)

    async def restart(self, job_id: str, mode: JobMode | None = None, by: str = "") -> JobDocument:
        """Do a job over as a new one; the new one, the same however often it is asked for.

        Raises E-4005, or E-4022 while a row is in flight, in doubt or voiding.
        """
        return await self._call("restart", api.RestartJob(job_id=job_id, mode=mode, by=by), JobDocument)

    async def cancel(self, job_id: str, by: str = "") -> JobDocument:
        """End a job for good; what is shipped stays shipped. Raises E-4005."""
        return await self._control("cancel", job_id, by)

    async def resolve(
        self, job_id: str, row_number: int, tracking_number: str | None, by: str = "", reason: str = ""
    ) -> RowDocument:
        """Record what a person found out about a row in doubt: its number, or None. Raises E-4004 or E-4008."""
        call = api.ResolveRow(
            job_id=job_id, row_number=row_number, tracking_number=tracking_number, by=by, reason=reason
        )
        return await self._call("resolve", call, RowDocument)

    async def void(
        self, job_id: str, row_numbers: Sequence[int], *, tracking_number: str | None = None, by: str = ""
    ) -> tuple[RowDocument, ...]:
        """Have the labels of shipped rows voided, VOIDS_A_CALL at a time; the rows as they are with the orders given.

        With `tracking_number`, a second label of the one row named. Raises E-4004, E-4020 or E-4021.
        """
        rows: list[RowDocument] = []
        for start in range(0, len(row_numbers), VOIDS_A_CALL):
            numbers = tuple(row_numbers[start : start + VOIDS_A_CALL])
            call = api.VoidRows(job_id=job_id, row_numbers=numbers, tracking_number=tracking_number, by=by)
            rows += (await self._call("void", call, api.RowList, within=VOID_TIMEOUT)).rows
        return tuple(rows)

    async def verify(self, job_id: str, *, rewrite: bool = True, by: str = "") -> VerificationDocument:
        """Compare a job's numbers with its source; with `rewrite` those that lack there are written once more.

        Raises E-4003, and E-1xxx where the source cannot be read.
        """
        call = api.VerifyJob(job_id=job_id, rewrite=rewrite, by=by)
        return await self._call("verify", call, VerificationDocument, within=INSPECT_TIMEOUT)

    async def restore(
        self, job_id: str, digest: str | None = None, *, force: bool = False, by: str = ""
    ) -> Restoration:
        """What putting a job's source back replaces; with the digest that was told it is done.

        Raises E-4005, E-4024 where there is no copy, or E-4025 where more than the job's numbers would be lost and that
        is not forced.
        """
        call = api.RestoreJob(job_id=job_id, digest=digest, force=force, by=by)
        return await self._call("restore", call, Restoration, within=RESTORE_TIMEOUT)

    async def _control(self, call: str, job_id: str, by: str) -> JobDocument:
        return await self._call(call, api.ControlJob(job_id=job_id, by=by), JobDocument)
