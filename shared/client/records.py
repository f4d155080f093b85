"""What a house keeps: audit trails, reports, labels; and the purge of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from shared.client.connection import INSPECT_TIMEOUT, VOID_TIMEOUT, Connection
from shared.contracts import api, subjects
from shared.contracts.audit import AuditPage, AuditRecord, AuditVerification, ListAudit, VerifyAudit
from shared.contracts.documents import RowDocument
from shared.contracts.labels import GetLabel, LabelChunk
from shared.contracts.purging import PlanPurge, PurgedJob, PurgeJob, PurgePlan, RewriteDatabase, Rewritten
from shared.contracts.report import ReportDocument, ShowReport
from shared.errors import LABEL_UNREADABLE, TallyError

LABEL_TIMEOUT = 130.0


class Records(Connection):
    """What is asked of what is kept."""

    async def audit(self, job_id: str, row_number: int | None = None, page: int = 500) -> AsyncGenerator[AuditRecord]:
        """A job's audit trail in order, or what it says of one row, fetched `page` at a time. Raises E-4003."""
        following: int | None = 0
        while following is not None:
            found = await self.audit_page(job_id, row_number, after=following, limit=page)
            for entry in found.entries:
                yield entry
            following = found.next_after

    async def audit_page(
        self, job_id: str, row_number: int | None = None, *, after: int = 0, limit: int = 500
    ) -> AuditPage:
        """A page of a job's audit trail, behind entry `after`, or of what it says of one row. Raises E-4003."""
        call = ListAudit(job_id=job_id, row_number=row_number, after=after, limit=limit)
        return await self._call("audit", call, AuditPage)

    async def verify_audit(self, job_id: str | None = None, head: str | None = None) -> AuditVerification:
        """Check a job's audit trail, or without a job the trails of all, and that an earlier `head` is still there.

        Raises E-4003.
        """
        call = VerifyAudit(job_id=job_id, head=head)
        return await self._call("verify-audit", call, AuditVerification, within=INSPECT_TIMEOUT)

    async def plan_purge(self, older_than: timedelta) -> PurgePlan:
        """Which jobs have been over for longer than that and can be purged, and which of that age are kept."""
        call = PlanPurge(older_than=older_than.total_seconds())
        return await self._call("plan-purge", call, PurgePlan, within=VOID_TIMEOUT)

    async def purge(self, job_id: str, before: datetime, by: str = "") -> PurgedJob:
        """Purge a job that ended `before`, or finish the purge that was begun. Raises E-4041 where it is to be kept."""
        call = PurgeJob(job_id=job_id, before=before, by=by)
        return await self._call("purge", call, PurgedJob, within=INSPECT_TIMEOUT)

    async def rewrite_database(self) -> Rewritten:
        """Have the job database's file written anew, without what was deleted. Raises E-4043."""
        return await self._call("rewrite-database", RewriteDatabase(), Rewritten, within=INSPECT_TIMEOUT)

    async def report(self, job_id: str) -> ReportDocument:
        """A job's report. Raises E-4003."""
        return await self._call("report", ShowReport(job_id=job_id), ReportDocument, within=VOID_TIMEOUT)

    async def label(self, key: str) -> bytes:
        """A label or an invoice by its key, as a row's document tells it. Raises E-4050 or E-4051."""
        content, size, tag = b"", 1, ""
        while len(content) < size:
            call = GetLabel(key=key, offset=len(content))
            chunk = LabelChunk.model_validate_json(await self._ask("shipper", subjects.LABELS_GET, call))
            if chunk.error is not None:
                raise TallyError.from_body(chunk.error)
            if not chunk.content or (content and chunk.tag != tag):
                raise TallyError(LABEL_UNREADABLE, key=key, reason="it changed while it was read")
            content, size, tag = content + chunk.content, chunk.size, chunk.tag
        return content

    async def fetch_label(self, job_id: str, row_number: int, by: str = "") -> RowDocument:
        """Have a row's label fetched from the carrier again; the row with it. Raises E-4004, or why there is none."""
        call = api.FetchLabel(job_id=job_id, row_number=row_number, by=by)
        return await self._call("fetch-label", call, RowDocument, within=LABEL_TIMEOUT)
