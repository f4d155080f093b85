"""A shipper in the small: one delivery of a command, cut into the steps between which anything may happen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from services.shipper.decisions import Decision
from services.shipper.reconciliation import Verdict
from shared.contracts.ledger import LastKind
from tests.simulation.model.bus import Command, Entry
from tests.simulation.model.carrier import Answer, Call
from tests.simulation.model.tasks import Steps

if TYPE_CHECKING:
    from tests.simulation.model.world import World

SEND_WITHIN = timedelta(seconds=2)
CALL_TIMEOUT = timedelta(seconds=2)
LONGEST_COMMIT = timedelta(seconds=6)
SETTLE_TIME = timedelta(seconds=4)
_CALLS_A_DELIVERY = 3
_MAX_DELIVERIES = 5
_claim_ids = count(1)


@dataclass(frozen=True)
class _Claim:
    entry: Entry
    sequence: int
    deadline: datetime
    last_commit: datetime


@dataclass
class Delivery:
    """One delivery of a command to one shipper, and the sale it knows of but has not said yet."""

    world: World
    command: Command
    sequence: int
    epoch: int
    deliveries: int
    knows: int | None = field(default=None, init=False)

    def run(self) -> Steps[None]:
        """Ship, then acknowledge; a run that ends early leaves the command to be delivered again.

        A command that was delivered too often is left to the coordinator.
        """
        if self.deliveries > _MAX_DELIVERIES:
            yield
            self.world.bus.reports.append(self.command)
            yield
            self.world.bus.take_out(self.epoch, self.sequence)
        elif (yield from self._ship()):
            yield
            self.world.bus.take_out(self.epoch, self.sequence)

    def _ship(self) -> Steps[bool]:
        world, command = self.world, self.command
        if self._expired():
            return True
        fresh = self.deliveries == 1 and command.attempt == 1 and not command.recover
        last = None if fresh else world.bus.last(command.row)
        while True:
            yield
            kind, attempt = ("none", 0) if last is None else (last[1].kind, last[1].attempt)
            decision = world.policy.decide(
                kind,
                attempt,
                command.attempt,
                recover=command.recover,
                same_epoch=command.epoch == world.bus.epoch,
                foreign=last is not None and last[1].epoch != command.epoch,
            )
            if decision is Decision.DROP or self._expired():
                return True
            claim = yield from self._claim(0 if last is None else last[0])
            if claim is not None:
                break
            yield
            last = world.bus.last(command.row)
            if last is None:
                return False
        yield
        if self._ledger_was_lost():
            return True
        if decision is Decision.SHIP:
            yield from self._buy(claim, calls=1)
        else:
            yield from self._reconcile(claim, None if last is None else last[1])
        return True

    def _ledger_was_lost(self) -> bool:
        return self.world.policy.check_epoch and self.command.epoch != self.world.bus.epoch

    def _expired(self) -> bool:
        return self.world.now > self.command.not_after

    def _claim(self, expected: int) -> Steps[_Claim | None]:
        now = self.world.now
        command = self.command
        commit = now + LONGEST_COMMIT
        entry = Entry("claimed", command.row, command.attempt, command.epoch, next(_claim_ids), now, commit)
        yield
        sequence = self.world.bus.append(entry, expected)
        return None if sequence is None else _Claim(entry, sequence, now + SEND_WITHIN, commit)

    def _buy(self, claim: _Claim, *, calls: int) -> Steps[None]:
        world = self.world
        yield
        if world.policy.keep_deadline and world.now > claim.deadline:
            yield from self._claim_again(claim, calls)
            return
        call = Call(self.command.row, claim.entry.claim_id, claim.last_commit, world.now + CALL_TIMEOUT)
        world.send(call, self)
        yield lambda: call.answer is not None or world.now > call.times_out
        match call.answer:
            case Answer.SOLD:
                self.knows = call.number
                yield from self._settle(claim, "shipped", call.number)
            case Answer.REFUSED:
                yield from self._settle(claim, "failed")
            case _:
                yield from self._doubt(claim, claim.last_commit, vouched=False, calls=calls)

    def _claim_again(self, claim: _Claim, calls: int) -> Steps[None]:
        if calls >= _CALLS_A_DELIVERY:
            yield from self._settle(claim, "failed")
            return
        again = yield from self._claim(claim.sequence)
        yield
        if again is not None and not self._ledger_was_lost():
            yield from self._buy(again, calls=calls + 1)

    def _reconcile(self, claim: _Claim, earlier: Entry | None) -> Steps[None]:
        intact = earlier is not None and earlier.epoch == self.command.epoch
        if earlier is not None and intact and earlier.kind == "claimed":
            assert earlier.last_commit is not None
            yield from self._doubt(claim, earlier.last_commit, vouched=False, calls=0)
        elif earlier is not None and intact and earlier.kind == "in_doubt":
            last_commit = earlier.last_commit or self.world.now + LONGEST_COMMIT
            yield from self._doubt(claim, last_commit, vouched=True, calls=0)
        else:
            yield from self._doubt(claim, claim.last_commit, vouched=False, calls=0)

    def _doubt(self, claim: _Claim, last_commit: datetime, *, vouched: bool, calls: int) -> Steps[None]:
        world = self.world
        consistency = "immediate" if vouched else world.carrier.consistency
        while True:
            yield
            asked = world.now
            found = world.carrier.find(self.command.row, asked)
            verdict = world.policy.judge_finding(len(found), consistency, asked, last_commit, last_commit + SETTLE_TIME)
            match verdict:
                case Verdict.SOLD:
                    self.knows = found[0]
                    yield from self._settle(claim, "shipped", found[0])
                case Verdict.SEVERAL | Verdict.PARK:
                    yield from self._settle(claim, "in_doubt", last_commit=last_commit)
                case Verdict.NOT_SOLD if calls >= _CALLS_A_DELIVERY:
                    yield from self._settle(claim, "failed")
                case Verdict.NOT_SOLD:
                    yield from self._claim_again(claim, calls)
                case Verdict.LOOK_AGAIN:
                    yield lambda asked=asked: world.now > asked
                    continue
            return

    def _settle(
        self, claim: _Claim, kind: LastKind, number: int | None = None, last_commit: datetime | None = None
    ) -> Steps[None]:
        yield
        outcome = replace(claim.entry, kind=kind, number=number, last_commit=last_commit)
        if self.world.bus.append(outcome, claim.sequence) is not None:
            self.world.note_settled(outcome)
        elif kind == "shipped":
            yield
            self.world.bus.append_late(outcome)
