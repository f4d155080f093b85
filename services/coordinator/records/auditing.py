"""Reads the audit trail to clients, and checks whether it is as it was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.coordinator.answering import Answerer, answering
from services.coordinator.database import audits
from services.coordinator.database.engine import Database
from services.coordinator.records.chain import ChainCheck, Fault, Stored
from shared.contracts.audit import AuditFault, AuditPage, AuditVerification, ListAudit, VerifyAudit

# Pages are short: rows go on shipping in between.
_PAGE = 500
_JOBS = 200
_FAULTS = 100


class Auditing:
    """The audit calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def calls(self) -> dict[str, Answerer]:
        """Every call by name, each from a request's body to a `Reply`'s."""
        return {"audit": answering(ListAudit, self.entries), "verify-audit": answering(VerifyAudit, self.verify)}

    async def entries(self, call: ListAudit) -> AuditPage:
        """A page of a job's trail."""
        found = await self._database.read(audits.list_entries, call.job_id, call.row_number, call.after, call.limit)
        return AuditPage(entries=tuple(found), next_after=found[-1].seq if len(found) == call.limit else None)

    async def verify(self, call: VerifyAudit) -> AuditVerification:
        """Check one trail, or the register and all of them; the first faults are told. Raises E-4003."""
        end = await self._database.read(audits.register_end)
        faults = await self._verify_head(call.head, end)
        if call.job_id is not None:
            entries, found = await self._verify_trail(call.job_id)
            return _told(1, entries, faults + found, end.head)
        faults += await self._verify_register(end)
        jobs, entries, after = 0, 0, ""
        while page := await self._database.read(audits.job_ids, after, _JOBS):
            for job_id in page:
                taken, found = await self._verify_trail(job_id)
                jobs, entries, faults = jobs + 1, entries + taken, faults + found
            after = page[-1]
        return _told(jobs, entries, faults, end.head)

    async def _verify_trail(self, job_id: str) -> tuple[int, list[AuditFault]]:
        anchors = await self._database.read(audits.anchors_of, job_id)
        end = await self._database.read(audits.trail_end, job_id)

        def page(after: int) -> Awaitable[list[Stored]]:
            return self._database.read(audits.trail_page, job_id, after, _PAGE)

        entries, faults = await _walk(ChainCheck(anchors), page, end)
        told = _named(job_id, faults)
        if not anchors:
            told.append(AuditFault(job_id=job_id, seq=1, fault="added", what="the register does not know the job"))
        return entries, told

    async def _verify_head(self, head: str | None, end: audits.End) -> list[AuditFault]:
        if head is None or await self._database.read(audits.has_head, head):
            return []
        what = f"no entry has the hash {head}: the register was written anew, or cut"
        return [AuditFault(job_id=None, seq=end.seq, fault="changed", what=what)]

    async def _verify_register(self, end: audits.End) -> list[AuditFault]:
        def page(after: int) -> Awaitable[list[Stored]]:
            return self._database.read(audits.register_page, after, _PAGE)

        _, faults = await _walk(ChainCheck(), page, end)
        gone = await self._database.read(audits.jobs_gone, _FAULTS)
        return _named(None, faults) + [
            AuditFault(job_id=job_id, seq=seq, fault="missing", what=f"job {job_id} is gone with its whole trail")
            for job_id, seq in gone
        ]


async def _walk(
    check: ChainCheck, page: Callable[[int], Awaitable[list[Stored]]], end: audits.End
) -> tuple[int, list[Fault]]:
    """How many entries a chain has, and its faults; what is appended while it is walked is left for the next time."""
    entries, faults, last = 0, list[Fault](), max(end.seq, end.last)
    while found := [stored for stored in await page(check.seq) if stored.entry.seq <= last]:
        entries += len(found)
        faults += await asyncio.to_thread(check.take, found)
    return entries, faults + check.end(end.seq, end.head)


def _named(job_id: str | None, faults: Sequence[Fault]) -> list[AuditFault]:
    return [AuditFault(job_id=job_id, seq=one.seq, fault=one.fault, what=one.what) for one in faults[:_FAULTS]]


def _told(jobs: int, entries: int, faults: Sequence[AuditFault], head: str) -> AuditVerification:
    return AuditVerification(jobs=jobs, entries=entries, intact=not faults, faults=tuple(faults[:_FAULTS]), head=head)
