"""Heals what nobody redelivers: rows in flight without a command, write-backs and voids too, jobs left at their end."""

from __future__ import annotations

from datetime import timedelta

from services.coordinator.database import queries, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.queries import InFlightRow
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.progress import Progress
from shared.bus.ledger import Entry, Ledger
from shared.clock import Clock
from shared.contracts.ledger import Claimed, Shipped
from shared.contracts.message import NewerVersionError
from shared.failpoints import failpoint
from shared.telemetry import logger

log = logger("watchdog")

_WRITE_BACKS_A_ROUND = 500
_VOIDS_A_ROUND = 100


class Watchdog:
    """Looks at every row that has been in flight for longer than `stuck_after`, in whatever state its job is."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        dispatcher: Dispatcher,
        progress: Progress,
        clock: Clock,
        *,
        stuck_after: float,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._progress = progress
        self._clock = clock
        self._stuck_after = timedelta(seconds=stuck_after)

    async def round(self) -> None:
        """Look at everything once."""
        since = self._clock() - self._stuck_after
        stuck = await self._database.read(queries.rows_in_flight, since)
        # After the rows: a row is then never ordered again under an older epoch than it was seen with.
        await self._ledger.keep_up()
        for row in stuck:
            try:
                await self._settle_or_reissue(row)
            except NewerVersionError as error:
                place = {"job": row.job_id, "row": row.row_number}
                log.warning("a row waits for an upgraded coordinator", **place, why=str(error))
            except Exception:
                # One row that cannot be healed must not keep the others from it.
                log.exception("a row could not be healed", job=row.job_id, row=row.row_number)
        for command in await self._database.read(queries.write_backs_due, since, _WRITE_BACKS_A_ROUND):
            if not await self._dispatcher.write_back_waits(command):
                log.warning("a write-back was lost; published again", job=command.job_id, row=command.row_number)
                await self._dispatcher.write_back(command)
        for void in await self._database.read(voids.voids_waiting, since, _VOIDS_A_ROUND):
            if not await self._dispatcher.void_waits(void):
                log.warning("a void was lost; published again", job=void.job_id, row=void.row_number)
                await self._dispatcher.void(void)
        for job_id in await self._database.read(queries.running_jobs_at_their_end):
            await self._progress.commit(steps.settle, job_id, self._clock())

    async def _settle_or_reissue(self, row: InFlightRow) -> None:
        last = await self._ledger.last(row.job_id, row.row_number)
        if last is not None and not isinstance(last.entry, Claimed):
            outcome = last.entry
            present = (row.attempt, row.epoch) == (outcome.attempt, outcome.epoch) and row.epoch == self._ledger.epoch
            if isinstance(outcome, Shipped) or present:
                await self._progress.record(outcome)
                return
        waiting = await self._dispatcher.waiting(row.job_id)
        if waiting is not None and (waiting.row_number, waiting.attempt, waiting.epoch) == (
            row.row_number,
            row.attempt,
            self._ledger.epoch,
        ):
            return
        claimed = last is not None and isinstance(last.entry, Claimed)
        if row.cancelled and last is not None and self._is_at_work(last.entry):
            return
        recover = claimed or row.epoch != self._ledger.epoch
        log.warning(
            "a row in flight has no command; published again", job=row.job_id, row=row.row_number, recover=recover
        )
        failpoint("coordinator.before_reissue")
        await self._progress.commit(
            steps.reissue, row.job_id, row.row_number, row.epoch, self._clock(), self._progress.issue(), recover=recover
        )

    def _is_at_work(self, entry: Entry) -> bool:
        """Whether a shipper whose command was taken out may still be about to tell its outcome."""
        if not isinstance(entry, Claimed) or entry.epoch != self._ledger.epoch:
            return False
        return self._clock() <= entry.last_possible_commit
