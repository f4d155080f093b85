"""The job database in the small: one job, its rows, and the transactions of services/coordinator/database on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.coordinator import states
from services.coordinator.running.guards import Verdict
from shared.contracts.states import JobStatus, RowStatus
from tests.simulation.model.bus import Command, Entry
from tests.simulation.model.policy import Policy

LIFETIME = timedelta(seconds=12)


@dataclass
class Row:
    """A row as the job database has it."""

    number: int
    status: RowStatus = RowStatus.PENDING
    attempt: int = 0
    epoch: int = 0
    recover: bool = False
    tracking: int | None = None


class Job:
    """One job. Every method is one transaction; those that start or reissue a row return its command."""

    def __init__(self, rows: int, policy: Policy) -> None:
        self.status = JobStatus.PENDING
        self.cursor = 0
        self.rows = {number: Row(number) for number in range(1, rows + 1)}
        self.alarms = 0
        self._policy = policy

    def rows_in(self, status: RowStatus) -> list[Row]:
        """The rows in a state."""
        return [row for row in self.rows.values() if row.status is status]

    def start(self, now: datetime, epoch: int) -> Command | None:
        """Put the job's first row in flight."""
        self._enter(JobStatus.RUNNING)
        return self._start_next(now, epoch)

    def record(self, entry: Entry, now: datetime, epoch: int) -> Command | None:
        """Write an outcome down and put the next row in flight."""
        row = self.rows[entry.row]
        numbers = () if entry.number is None else (str(entry.number),)
        known = () if row.tracking is None else (str(row.tracking),)
        same_epoch = entry.epoch == row.epoch
        match self._policy.judge(
            entry.kind, entry.attempt, numbers, row.status, row.attempt, known, same_epoch=same_epoch
        ):
            case Verdict.IGNORE:
                return None
            case Verdict.REPUBLISH:
                return self._in_flight_after(row, now, epoch)
            case Verdict.ALARM:
                self.alarms += 1
                return None
            case (Verdict.RECORD | Verdict.ADOPT) as verdict if entry.kind == "shipped":
                self._move(row, RowStatus.SHIPPED)
                row.tracking = entry.number
                self._pass(row)
                return self._start_next(now, epoch) if verdict is Verdict.RECORD else None
            case _:
                self._move(row, RowStatus.FAILED if entry.kind == "failed" else RowStatus.IN_DOUBT)
                row.recover = False
                if states.allows(states.JOB, self.status, JobStatus.FAILED):
                    self._enter(JobStatus.FAILED)
                return None

    def reissue(self, number: int, seen: int, now: datetime, epoch: int, *, recover: bool) -> Command | None:
        """A row in flight ordered again under the present epoch, where it is as it was seen."""
        row = self.rows[number]
        if row.status is not RowStatus.IN_FLIGHT or row.epoch != seen:
            return None
        row.recover = recover or row.recover or row.epoch != epoch
        row.epoch = epoch
        return self._command(row, now, epoch, recover=row.recover)

    def resume(self, now: datetime, epoch: int) -> Command | None:
        """Take the job up again; refused while a row is in doubt or from a state that is not to be resumed."""
        if self.rows_in(RowStatus.IN_DOUBT) or not states.allows(states.JOB, self.status, JobStatus.RUNNING):
            return None
        self._enter(JobStatus.RUNNING)
        for row in self.rows.values():
            if row.status is RowStatus.IN_FLIGHT:
                return self._command(row, now, epoch, recover=row.recover or row.epoch != epoch)
            if row.status is RowStatus.FAILED:
                return self._start_row(row, now, epoch)
        return self._start_next(now, epoch)

    def halt(self, target: JobStatus) -> bool:
        """Pause or cancel; False where the job's state does not allow it."""
        allowed = states.allows(states.JOB, self.status, target)
        if allowed:
            self._enter(target)
        return allowed

    def resolve(self, number: int, tracking: int | None) -> None:
        """Settle a row in doubt as a person says."""
        row = self.rows[number]
        if row.status is not RowStatus.IN_DOUBT:
            return
        if tracking is None:
            self._move(row, RowStatus.FAILED)
            row.recover = True
        else:
            self._move(row, RowStatus.SHIPPED)
            row.tracking = tracking
            self._pass(row)

    def _start_next(self, now: datetime, epoch: int) -> Command | None:
        if self.status is not JobStatus.RUNNING:
            return None
        for row in self.rows.values():
            if row.number > self.cursor and row.status is RowStatus.PENDING:
                self.cursor = max(self.cursor, row.number - 1)
                return self._start_row(row, now, epoch)
        self.cursor = len(self.rows)
        if not any(row.status in states.UNSETTLED_ROWS for row in self.rows.values()):
            self._enter(JobStatus.COMPLETED)
        return None

    def _start_row(self, row: Row, now: datetime, epoch: int) -> Command:
        self._move(row, RowStatus.IN_FLIGHT)
        row.attempt += 1
        row.epoch = epoch
        return self._command(row, now, epoch, recover=row.recover)

    def _in_flight_after(self, settled: Row, now: datetime, epoch: int) -> Command | None:
        if self.status is JobStatus.RUNNING:
            for row in self.rows_in(RowStatus.IN_FLIGHT):
                if row.number > settled.number:
                    return self._command(row, now, epoch, recover=row.recover or row.epoch != epoch)
        return None

    def _command(self, row: Row, now: datetime, epoch: int, *, recover: bool) -> Command:
        return Command(row.number, row.attempt, epoch, recover, now + LIFETIME)

    def _pass(self, row: Row) -> None:
        if row.number == self.cursor + 1:
            self.cursor = row.number

    def _move(self, row: Row, target: RowStatus) -> None:
        assert states.allows(states.ROW, row.status, target), (row, target)
        row.status = target

    def _enter(self, target: JobStatus) -> None:
        assert states.allows(states.JOB, self.status, target) or self.status is target, (self.status, target)
        self.status = target
