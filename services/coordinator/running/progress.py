"""Carries jobs forward: commits a step, publishes what it asks for, tells whoever watches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Concatenate, ParamSpec

from sqlalchemy import Connection

from services.coordinator.announcer import Announcer
from services.coordinator.database import outcomes, steps, voids
from services.coordinator.database.commands import Issue
from services.coordinator.database.engine import Database
from services.coordinator.database.step import Step
from services.coordinator.metrics import SOLD_TWICE
from services.coordinator.pricing.price_guard import PriceGuard
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.observing import note_ended
from shared.bus.ledger import Ledger
from shared.clock import Clock
from shared.contracts.ledger import Outcome, Shipped
from shared.contracts.voiding import VoidOutcome
from shared.contracts.writeback import SourceWritten
from shared.errors import TallyError
from shared.failpoints import failpoint
from shared.telemetry import logger, tracing

P = ParamSpec("P")
log = logger("progress")

_NO_GUARD = PriceGuard()


class Progress:
    """One way to change a job: a transaction, then its publishes, then the news."""

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        announcer: Announcer,
        ledger: Ledger,
        clock: Clock,
        command_lifetime: timedelta,
        ends: JobsAtTheirEnd,
        guard: PriceGuard = _NO_GUARD,
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._announcer = announcer
        self._ledger = ledger
        self._clock = clock
        self._lifetime = command_lifetime
        self._ends = ends
        self._guard = guard

    def issue(self) -> Issue:
        """What commands of this moment carry."""
        return Issue(self._ledger.epoch, self._lifetime, self._ledger.mark)

    async def record(self, outcome: Outcome) -> None:
        """Record a ledger outcome and start what follows.

        One of another epoch than the ledger's proves nothing, unless it is a sale: it is dropped, and the watchdog has
        the row looked up.
        """
        if not isinstance(outcome, Shipped) and outcome.epoch != await self._ledger.current_epoch():
            log.warning("an outcome is of a lost ledger", job=outcome.job_id, row=outcome.row_number, kind=outcome.kind)
            return
        failpoint("coordinator.before_outcome_commit")
        with tracing.span("commit record_outcome"):
            step = await self._database.write(
                outcomes.record_outcome, outcome, self._clock(), self.issue(), self._guard
            )
        failpoint("coordinator.after_outcome_commit")
        if step.ended is not None:
            note_ended(outcome.job_id, step.ended, self._clock())
        if step.alarm:
            SOLD_TWICE.inc()
            log.error("an order was sold twice", job=outcome.job_id, row=outcome.row_number)
        await self.follow(step)

    async def record_again(self, outcome: Outcome) -> bool:
        """Record an outcome that was acknowledged once; whether it was missing. What was recorded moves nothing."""
        step = await self._database.write(outcomes.record_outcome, outcome, self._clock(), self.issue(), self._guard)
        if step.row is None:
            return False
        await self.follow(step)
        return True

    async def record_written(self, written: SourceWritten) -> None:
        """Record a flush, job by job; one that is not known here keeps no other from it."""
        failpoint("coordinator.before_written_commit")
        for job_id in {row.job_id for row in written.rows}:
            mine = [row for row in written.rows if row.job_id == job_id]
            try:
                await self.commit(steps.record_written, job_id, mine, self._clock())
            except TallyError as error:
                if error.kind.retryable:
                    raise
                log.error("a write-back fits no job", job=job_id, code=error.body.code)

    async def record_void(self, outcome: VoidOutcome) -> None:
        """Record what became of a void."""
        await self.commit(voids.record_void, outcome, self._clock())

    async def commit(
        self, command: Callable[Concatenate[Connection, P], Step], *args: P.args, **kwargs: P.kwargs
    ) -> Step:
        """Run a step and follow it."""
        with tracing.span(f"commit {command.__name__}"):
            step = await self._database.write(command, *args, **kwargs)
        await self.follow(step)
        return step

    async def follow(self, step: Step) -> None:
        """Publish what a committed step asks for, then tell."""
        await self._dispatcher.dispatch(step)
        if step.check:
            self._ends.add(step.job_id)
        if step.entered is not None:
            await self._announcer.entered(step.job_id, step.entered, step.row)
        elif step.row is not None:
            self._announcer.moved(step.job_id, step.row)
