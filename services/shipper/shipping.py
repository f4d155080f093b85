"""One row's way through the shipper: claim before call, look up before any second call (DESIGN §4)."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.shipper.carriers.calls import noting_calls
from services.shipper.carriers.carrier import (
    Carrier,
    DeadlinePassedError,
    NothingCreatedError,
    SendDeadline,
    UnknownOutcomeError,
)
from services.shipper.carriers.places import Turn
from services.shipper.decisions import Decision, decide
from services.shipper.reconciliation import Proof, Reconciliation, Sought
from services.shipper.recording import Findings, Place, Recorder
from shared.bus.ledger import Ledger, Recorded
from shared.bus.publishing import Publisher, WrongLastSequenceError, fresh_id
from shared.clock import Clock, SteadyClock, steady_now
from shared.contracts import subjects
from shared.contracts.commands import ShipCommand
from shared.contracts.ledger import Claimed, Evidence, InDoubt, LastKind
from shared.errors import CARRIER_DEADLINE, CARRIER_UNAVAILABLE, WITHDRAWN, TallyError
from shared.failpoints import failpoint
from shared.settings import CarrierSettings
from shared.telemetry import logger

log = logger("shipping")

_CALLS_A_DELIVERY = 3
OWNER = f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True)
class _Claim(Place):
    """A claim that this process holds, and until when it may send.

    The deadline runs from the moment that `last_possible_commit` counts from: before the claim is published.
    """

    entry: Claimed
    deadline: SendDeadline


@dataclass(frozen=True)
class _Doubt:
    """Why a call may have sold a label: since when, until when, and whether a person found out that none did."""

    reason: str
    since: datetime
    last_commit: datetime
    vouched: bool = False


@dataclass(frozen=True)
class _Prepared:
    """A turn to call the carrier, or why nothing can be bought."""

    turn: Turn
    refusal: NothingCreatedError | None = None


class Shipping:
    """Ships rows with one carrier account."""

    def __init__(
        self,
        carrier: Carrier,
        settings: CarrierSettings,
        recorder: Recorder,
        ledger: Ledger,
        publisher: Publisher,
        clock: Clock,
        steady: SteadyClock = steady_now,
    ) -> None:
        self._carrier = carrier
        self._settings = settings
        self._recorder = recorder
        self._ledger = ledger
        self._publisher = publisher
        self._clock = clock
        self._steady = steady
        self._reconciliation = Reconciliation(
            carrier, settings.consistency, timedelta(seconds=settings.settle_time), clock
        )

    async def ship(self, command: ShipCommand, *, first_delivery: bool) -> bool:
        """See a command through to an outcome in the ledger, or find that it needs none.

        True where the command may be acknowledged, False where another shipper has taken the row over: the command is
        its to acknowledge. Raises where the bus or the process fails; the command is then delivered again, to whoever
        is there.
        """
        with noting_calls():
            return await self._ship(command, first_delivery=first_delivery)

    async def _ship(self, command: ShipCommand, *, first_delivery: bool) -> bool:
        if self._expired(command):
            return True
        # A first command has no ledger entry before it: the claim's compare-and-set finds out where it is wrong.
        fresh = first_delivery and command.attempt == 1 and not command.recover
        last = None if fresh else await self._ledger.last(command.job_id, command.row_number)
        prepared = await self._prepared(command)
        if prepared is None:
            return True
        with prepared.turn:
            return await self._ship_in_turn(command, last, prepared)

    async def _ship_in_turn(self, command: ShipCommand, last: Recorded | None, prepared: _Prepared) -> bool:
        while True:
            # After the ledger was read: what was found there is of this epoch, or of one before.
            same_epoch = await self._ledger.is_current(command.epoch)
            decision = decide(
                _kind(last),
                0 if last is None else last.entry.attempt,
                command.attempt,
                recover=command.recover,
                same_epoch=same_epoch,
                foreign=last is not None and last.entry.epoch != command.epoch,
            )
            if decision is Decision.DROP or self._expired(command):
                return True
            try:
                claim = await self._claim(command, last)
            except WrongLastSequenceError:
                last = await self._ledger.last(command.job_id, command.row_number)
                if last is None:
                    raise
                continue
            break
        failpoint("shipper.after_claim")
        if await self._ledger_was_lost(command):
            return True
        if decision is Decision.RECONCILE:
            prepared.turn.release()  # a look-up may take minutes, and waits for places of its own
            return await self._reconcile(command, claim, last)
        if prepared.refusal is not None:
            return await self._recorder.failed(claim, prepared.refusal.error)
        return await self._buy(command, claim, prepared.turn)

    async def _ledger_was_lost(self, command: ShipCommand) -> bool:
        """Whether a claim for `command` says nothing, for it is in another ledger than the command's."""
        if command.epoch == await self._ledger.current_epoch():
            return False
        log.warning("the ledger was lost while it was claimed in", job=command.job_id, row=command.row_number)
        return True

    def _expired(self, command: ShipCommand) -> bool:
        if self._clock() <= command.not_after:
            return False
        log.warning("command expired", job=command.job_id, row=command.row_number)
        return True

    async def _prepared(self, command: ShipCommand) -> _Prepared | None:
        """Everything that can wait or fail comes before the claim; None where the command expired meanwhile."""
        try:
            async with asyncio.timeout((command.not_after - self._clock()).total_seconds()):
                return _Prepared(await self._carrier.prepare())
        except NothingCreatedError as refusal:
            return _Prepared(Turn(), refusal)
        except TimeoutError:
            log.warning("command expired while it waited", job=command.job_id, row=command.row_number)
            return None

    async def _claim(self, command: ShipCommand, behind: Recorded | None) -> _Claim:
        deadline = SendDeadline(self._settings.send_within, self._steady(), self._steady)
        now = self._clock()
        last_commit = now + self._longest_commit()
        if behind is not None and isinstance(behind.entry, Claimed):
            # A shipper with longer times, or a faster clock, may have made the call that this claim takes over.
            last_commit = max(last_commit, behind.entry.last_possible_commit)
        entry = Claimed(
            job_id=command.job_id,
            row_number=command.row_number,
            attempt=command.attempt,
            epoch=command.epoch,
            claim_id=fresh_id(),
            reference=command.reference,
            owner=OWNER,
            claimed_at=now,
            last_possible_commit=last_commit,
        )
        failpoint("shipper.before_claim")
        return _Claim(
            entry,
            await self._ledger.claim(entry, 0 if behind is None else behind.sequence, above=command.ledger_mark),
            deadline,
        )

    def _longest_commit(self) -> timedelta:
        settings = self._settings
        seconds = settings.send_within + settings.call_timeout + settings.tcp_user_timeout + settings.commit_margin
        return timedelta(seconds=seconds)

    async def _buy(
        self, command: ShipCommand, claim: _Claim, turn: Turn, *, calls: int = 1, evidence: tuple[Evidence, ...] = ()
    ) -> bool:
        if not command.buy:
            return await self._recorder.failed(claim, TallyError(WITHDRAWN).body, Findings(evidence))
        started = time.perf_counter()
        failpoint("shipper.before_call")
        try:
            purchase = await self._carrier.buy(command.shipment, command.reference, claim.deadline, turn)
        except DeadlinePassedError:
            return await self._claim_again(command, claim, calls, evidence)
        except NothingCreatedError as refusal:
            return await self._recorder.failed(claim, refusal.error, Findings(evidence))
        except UnknownOutcomeError as unknown:
            log.warning(
                "the carrier's answer is unknown", job=command.job_id, row=command.row_number, reason=str(unknown)
            )
            own = claim.entry
            doubt = _Doubt(str(unknown), own.claimed_at, own.last_possible_commit)
            return await self._resolve_doubt(command, claim, doubt, calls, evidence)
        failpoint("shipper.after_call")
        carrier_ms = (time.perf_counter() - started) * 1000
        return await self._recorder.sold(
            claim, purchase, cost=purchase.cost, findings=Findings(evidence), carrier_ms=carrier_ms
        )

    async def _claim_again(
        self, command: ShipCommand, claim: _Claim, calls: int, evidence: tuple[Evidence, ...]
    ) -> bool:
        """Nothing was sent before the deadline (a frozen process, a full queue): call under a fresh claim."""
        if calls >= _CALLS_A_DELIVERY:
            return await self._recorder.failed(claim, TallyError(CARRIER_DEADLINE).body, Findings(evidence))
        try:
            again = await self._claim(command, Recorded(claim.sequence, claim.entry))
        except WrongLastSequenceError:
            log.warning("the claim was taken over before its call", job=command.job_id, row=command.row_number)
            return False
        if await self._ledger_was_lost(command):
            return True
        return await self._buy(command, again, Turn(), calls=calls + 1, evidence=evidence)

    async def _reconcile(self, command: ShipCommand, claim: _Claim, last: Recorded | None) -> bool:
        """Take over from whoever may have called: the look-up decides."""
        match None if last is None or last.entry.epoch != command.epoch else last.entry:
            case Claimed() as earlier:
                reason = f"an earlier claim by {earlier.owner} ended without an outcome"
                doubt = _Doubt(reason, earlier.claimed_at, earlier.last_possible_commit)
            case InDoubt() as parked:
                # A newer attempt exists only because a person resolved the row as not shipped.
                ended = parked.last_possible_commit or parked.parked_at + self._longest_commit()
                doubt = _Doubt("the row was in doubt before", parked.parked_at, ended, vouched=True)
            case _:
                own = claim.entry
                doubt = _Doubt("the shipment ledger was lost", own.claimed_at, own.last_possible_commit)
        return await self._resolve_doubt(command, claim, doubt)

    async def _resolve_doubt(
        self,
        command: ShipCommand,
        claim: _Claim,
        doubt: _Doubt,
        calls: int = 0,
        known: tuple[Evidence, ...] = (),
    ) -> bool:
        """Look up what an earlier call came to: adopt it, call again where nothing was sold, else park the row."""
        since = doubt.since if command.since is None else min(doubt.since, command.since)
        conclusion = await self._reconciliation.conclude(
            Sought(command.reference, since, command.shipment), doubt.last_commit, doubt.reason, vouched=doubt.vouched
        )
        evidence = known + conclusion.evidence
        match conclusion.proof:
            case Proof.SOLD:
                purchase = conclusion.purchase
                assert purchase is not None
                cost = purchase.cost or await self._recorder.rated(command.shipment)
                return await self._recorder.sold(claim, purchase, cost=cost, findings=Findings(evidence, adopted=True))
            case Proof.NOTHING:
                assert conclusion.error is not None
                return await self._recorder.parked(claim, conclusion.error, doubt.last_commit, Findings(evidence))
            case Proof.NOT_SOLD if calls >= _CALLS_A_DELIVERY:
                error = TallyError(CARRIER_UNAVAILABLE, operation="the shipment", reason=doubt.reason).body
                return await self._recorder.failed(claim, error, Findings(evidence))
            case Proof.NOT_SOLD if await self._is_taken_out(command):
                log.warning("the command was taken out meanwhile", job=command.job_id, row=command.row_number)
                return False
            case Proof.NOT_SOLD:
                # A call needs a claim of its own: its deadline starts there.
                return await self._claim_again(command, claim, calls, evidence)

    async def _is_taken_out(self, command: ShipCommand) -> bool:
        """Whether the command left its slot while the row was looked up: the coordinator then orders anew, or not."""
        waiting = await self._publisher.last(subjects.COMMANDS, subjects.ship_command(command.job_id))
        if waiting is None:
            return True
        found = ShipCommand.model_validate_json(waiting.data)
        return (found.row_number, found.attempt) != (command.row_number, command.attempt)


def _kind(last: Recorded | None) -> LastKind:
    return "none" if last is None else last.entry.kind
