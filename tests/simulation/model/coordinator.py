"""A coordinator in the small: its transactions, and the publishes after them that a crash can cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from services.coordinator.running.guards import Ending
from shared.contracts.states import JobStatus, RowStatus
from tests.simulation.model.bus import Command, Entry
from tests.simulation.model.job import Row
from tests.simulation.model.tasks import Steps

if TYPE_CHECKING:
    from tests.simulation.model.world import World

_tombstones = count(-1, -1)


@dataclass
class Coordinator:
    """One coordinator; `epoch` is the ledger's as it last saw it."""

    world: World
    epoch: int = 1

    def record(self, key: tuple[int, int], entry: Entry) -> Steps[None]:
        """Handle one entry of the feed."""
        if (yield from self._record(entry)):
            yield
            self.world.bus.feed.pop(key, None)

    def watch(self) -> Steps[None]:
        """One round of the watchdog."""
        bus, job = self.world.bus, self.world.job
        seen = [(row.number, row.attempt, row.epoch) for row in job.rows_in(RowStatus.IN_FLIGHT)]
        yield
        self.epoch = bus.epoch
        for number, attempt, epoch in seen:
            yield
            last = bus.last(number)
            if last is not None and _settles(last[1], attempt, {epoch, self.epoch}):
                yield
                yield from self._record(last[1])
                continue
            yield
            waiting = bus.slot
            if waiting is not None:
                there = waiting[1]
                if (there.row, there.attempt, there.epoch) == (number, attempt, self.epoch):
                    continue
            claimed = last is not None and last[1].kind == "claimed"
            yield
            command = job.reissue(number, epoch, self.world.now, self.epoch, recover=claimed or epoch != self.epoch)
            yield
            yield from self._dispatch(command)

    def resume(self) -> Steps[None]:
        """A person takes the job up again."""
        job, bus = self.world.job, self.world.bus
        for row in job.rows_in(RowStatus.FAILED):
            last = bus.last(row.number)
            yield
            if last is not None and last[1].kind != "claimed":
                yield from self._record(last[1])
            yield
        command = job.resume(self.world.now, self.epoch)
        if job.status is JobStatus.RUNNING:
            self.world.note_resumed()
        yield
        yield from self._dispatch(command)

    def cancel(self) -> Steps[None]:
        """A person ends the job; a row in flight that nobody can have called for is withdrawn."""
        if not self.world.job.halt(JobStatus.CANCELLED):
            return
        yield
        for row in self.world.job.rows_in(RowStatus.IN_FLIGHT):
            yield from self._end(replace(row), Ending.FAIL)

    def abandon(self, command: Command) -> Steps[None]:
        """End a row that no shipper came to an outcome with."""
        for row in self.world.job.rows_in(RowStatus.IN_FLIGHT):
            if (row.number, row.attempt) == (command.row, command.attempt):
                yield
                if not (yield from self._end(replace(row), Ending.FAIL, Ending.PARK)):
                    return
        yield
        if command in self.world.bus.reports:
            self.world.bus.reports.remove(command)

    def _end(self, row: Row, *allowed: Ending) -> Steps[bool]:
        """Write into the ledger how the row ends, where that is `allowed`; False where somebody else wrote first."""
        bus = self.world.bus
        last = bus.last(row.number)
        yield
        kind, attempt = ("none", 0) if last is None else (last[1].kind, last[1].attempt)
        lost = row.recover or row.epoch != bus.epoch
        ending = self.world.policy.judge_unfinished(kind, attempt, row.attempt, recover=lost)
        if ending is Ending.RECORD and last is not None:
            yield from self._record(last[1])
        if ending not in allowed:
            return True
        yield
        known = last is not None and last[1].epoch == row.epoch and last[1].kind in {"claimed", "in_doubt"}
        outcome = Entry(
            kind="failed" if ending is Ending.FAIL else "in_doubt",
            row=row.number,
            attempt=row.attempt,
            epoch=row.epoch if ending is Ending.FAIL else bus.epoch,
            claim_id=next(_tombstones),
            claimed_at=self.world.now,
            last_commit=last[1].last_commit if known and last is not None else None,
        )
        yield
        if bus.append(outcome, 0 if last is None else last[0]) is None:
            return False
        if ending is Ending.FAIL:
            self.world.note_settled(outcome)
        else:
            self.world.note_abandoned(row.number, None if last is None else last[1])
        return True

    def _record(self, entry: Entry) -> Steps[bool]:
        """Write an outcome down and publish what follows; one of another epoch proves nothing, unless it is a sale."""
        if self.world.policy.check_epoch and entry.kind != "shipped" and entry.epoch != self.world.bus.epoch:
            return True
        yield
        command = self.world.job.record(entry, self.world.now, self.epoch)
        yield
        return (yield from self._dispatch(command))

    def _dispatch(self, command: Command | None) -> Steps[bool]:
        """Publish into the slot, in place of whatever is older; False where the slot stays taken."""
        if command is None:
            return True
        bus = self.world.bus
        if bus.put(command):
            return True
        yield
        if bus.slot is not None:
            epoch, (sequence, waiting) = bus.epoch, bus.slot
            if (waiting.row, waiting.attempt) > (command.row, command.attempt):
                return True
            same = (waiting.row, waiting.attempt, waiting.epoch) == (command.row, command.attempt, command.epoch)
            if same and waiting.recover >= command.recover:
                return True
            yield
            bus.take_out(epoch, sequence)
        yield
        return bus.put(command)


def _settles(last: Entry, attempt: int, epochs: set[int]) -> bool:
    """Whether a row in flight has its outcome in the ledger; `epochs` are the one it was ordered in and the present."""
    return last.kind == "shipped" or (last.kind != "claimed" and last.attempt == attempt and epochs == {last.epoch})
