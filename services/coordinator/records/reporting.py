"""Answers the call for a job's report."""

from __future__ import annotations

from services.coordinator.answering import Answerer, answering
from services.coordinator.database import reports
from services.coordinator.database.engine import Database
from shared.contracts.report import ReportDocument, ShowReport


class Reporting:
    """The report call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def calls(self) -> dict[str, Answerer]:
        """Every call by name, each from a request's body to a `Reply`'s."""
        return {"report": answering(ShowReport, self.report)}

    async def report(self, call: ShowReport) -> ReportDocument:
        """A job's report. Raises E-4003."""
        return await self._database.read(reports.show_report, call.job_id)
