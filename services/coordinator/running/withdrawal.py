"""Ends a row in flight that is not to be worked on any more: withdrawn by a cancel, or abandoned by the shippers.

The ledger decides, by the same compare-and-set that claims go through: an outcome written there fences off whoever
held a claim or tries to take one (DESIGN §4).
"""

from __future__ import annotations

from datetime import datetime

from services.coordinator.database import queries
from services.coordinator.database.engine import Database
from services.coordinator.database.queries import InFlightRow
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.guards import Ending, judge_unfinished
from services.coordinator.running.progress import Progress
from shared.bus.ledger import Ledger, Recorded
from shared.bus.publishing import WrongLastSequenceError, fresh_id
from shared.clock import Clock
from shared.contracts.commands import ShipCommandAbandoned
from shared.contracts.ledger import Claimed, Failed, InDoubt
from shared.errors import ABANDONED, WITHDRAWN, ErrorBody, TallyError
from shared.telemetry import logger

log = logger("withdrawal")


class Withdrawal:
    """Takes rows out of the shippers' hands."""

    def __init__(
        self, database: Database, dispatcher: Dispatcher, progress: Progress, ledger: Ledger, clock: Clock
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._progress = progress
        self._ledger = ledger
        self._clock = clock

    async def withdraw(self, job_id: str) -> None:
        """Fail a cancelled job's row in flight where nobody can have called for it; else its outcome is waited for.

        Its command is taken out: whoever works on the row ends that, and nobody begins anew. The watchdog has it looked
        up where no outcome comes.
        """
        row = await self._database.read(queries.row_in_flight, job_id)
        if row is None:
            return
        last = await self._ledger.last(row.job_id, row.row_number)
        ending = await self._ending(row, last)
        await self._dispatcher.take_out(row)
        if ending is Ending.FAIL:
            await self._ledger.close(self._failed(row, TallyError(WITHDRAWN).body), last)

    async def abandon(self, report: ShipCommandAbandoned) -> None:
        """End a row that no shipper came to an outcome with: failed where nobody called for it, else in doubt.

        Raises WrongLastSequenceError where somebody wrote to the ledger meanwhile: the report is then weighed again.
        """
        row = await self._database.read(queries.row_in_flight, report.job_id)
        if row is None or (row.row_number, row.attempt) != (report.row_number, report.attempt):
            return
        last = await self._ledger.last(row.job_id, row.row_number)
        ending = await self._ending(row, last)
        if ending is Ending.RECORD:
            return
        log.error("a row was abandoned", job=row.job_id, row=row.row_number, ending=ending.name)
        outcome: Failed | InDoubt
        if ending is Ending.FAIL:
            outcome = self._failed(row, _abandoned(row, report.deliveries, "nothing was sent", "resume the job"))
        else:
            outcome = await self._in_doubt(row, last, report.deliveries)
        if not await self._ledger.close(outcome, last):
            raise WrongLastSequenceError(f"row {row.row_number} of job {row.job_id}")

    async def _ending(self, row: InFlightRow, last: Recorded | None) -> Ending:
        lost = row.recover or row.epoch != await self._ledger.current_epoch()
        if last is None:
            return judge_unfinished("none", 0, row.attempt, recover=lost)
        ending = judge_unfinished(last.entry.kind, last.entry.attempt, row.attempt, recover=lost)
        if ending is Ending.RECORD and not isinstance(last.entry, Claimed):
            await self._progress.record(last.entry)
        return ending

    def _failed(self, row: InFlightRow, error: ErrorBody) -> Failed:
        """Of the epoch that the ledger was read in: where the store is lost before this lands, it proves nothing."""
        return Failed(
            job_id=row.job_id,
            row_number=row.row_number,
            attempt=row.attempt,
            epoch=row.epoch,
            claim_id=fresh_id(),
            error=error,
            failed_at=self._clock(),
        )

    async def _in_doubt(self, row: InFlightRow, last: Recorded | None, deliveries: int) -> InDoubt:
        todo = f"look reference {row.reference} up with the carrier and record what you found with tally resolve"
        return InDoubt(
            job_id=row.job_id,
            row_number=row.row_number,
            attempt=row.attempt,
            epoch=await self._ledger.current_epoch(),
            claim_id=fresh_id(),
            reference=row.reference,
            error=_abandoned(row, deliveries, "a label may have been sold", todo),
            parked_at=self._clock(),
            last_possible_commit=_last_commit(row, last),
        )


def _last_commit(row: InFlightRow, last: Recorded | None) -> datetime | None:
    """Until when the ledger knows that a call may sell; it knows only of those of its own epoch."""
    if last is None or last.entry.epoch != row.epoch or not isinstance(last.entry, Claimed | InDoubt):
        return None
    return last.entry.last_possible_commit


def _abandoned(row: InFlightRow, deliveries: int, reason: str, todo: str) -> ErrorBody:
    return TallyError(ABANDONED, row=row.row_number, deliveries=deliveries, reason=reason, todo=todo).body
