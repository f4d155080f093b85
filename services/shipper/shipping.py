"""One row's way through the shipper: claim before call, look up before any second call (DESIGN §4)."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from obstore.exceptions import BaseError as LabelStoreError

from services.shipper.carriers.carrier import (
    Carrier,
    DeadlinePassedError,
    Label,
    NothingCreatedError,
    Purchase,
    SendDeadline,
    UnknownOutcomeError,
)
from services.shipper.decisions import Decision, LastKind, decide
from services.shipper.labels import LabelStore
from services.shipper.reconciliation import Proof, Reconciliation
from services.shipper.spool import Spool
from shared.bus.ledger import Ledger, Recorded
from shared.bus.publishing import WrongLastSequenceError, fresh_id
from shared.clock import Clock
from shared.contracts.commands import ShipCommand
from shared.contracts.ledger import Claimed, Evidence, Failed, InDoubt, Outcome, Shipped
from shared.errors import CARRIER_DEADLINE, CARRIER_UNAVAILABLE, ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.settings import CarrierSettings
from shared.shipping import Money
from shared.telemetry import logger

log = logger("shipping")

_CALLS_A_DELIVERY = 3
_SPOOL_AFTER = 0.5
OWNER = f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True)
class _Claim:
    """A claim that this process holds, its sequence in the ledger, and until when it may send.

    The deadline runs from the moment that `last_possible_commit` counts from: before the claim is published.
    """

    entry: Claimed
    sequence: int
    deadline: SendDeadline


@dataclass(frozen=True)
class _Doubt:
    """Why a call may have sold a label: since when, until when, and whether a person found out that none did."""

    reason: str
    since: datetime
    last_commit: datetime
    vouched: bool = False


class Shipping:
    """Ships rows with one carrier account."""

    def __init__(
        self,
        carrier: Carrier,
        settings: CarrierSettings,
        labels: LabelStore,
        ledger: Ledger,
        spool: Spool,
        clock: Clock,
    ) -> None:
        self._carrier = carrier
        self._settings = settings
        self._labels = labels
        self._ledger = ledger
        self._spool = spool
        self._clock = clock
        self._reconciliation = Reconciliation(
            carrier, settings.consistency, timedelta(seconds=settings.settle_time), clock
        )

    async def ship(self, command: ShipCommand, *, first_delivery: bool) -> None:
        """See a command through to an outcome in the ledger, or find that it needs none.

        Returns when the command may be acknowledged. Raises where the bus or the process fails; it is then delivered
        again, to whoever is there.
        """
        if self._expired(command):
            return
        same_epoch = command.epoch == await self._ledger.current_epoch()
        # A first command has no ledger entry before it: the claim's compare-and-set finds out where it is wrong.
        fresh = first_delivery and command.attempt == 1 and not command.recover
        last = None if fresh else await self._ledger.last(command.job_id, command.row_number)
        refusal = await self._prepare()
        while True:
            decision = decide(
                _kind(last),
                0 if last is None else last.entry.attempt,
                command.attempt,
                recover=command.recover,
                same_epoch=same_epoch,
            )
            if decision is Decision.DROP or self._expired(command):
                return
            try:
                claim = await self._claim(command, 0 if last is None else last.sequence)
            except WrongLastSequenceError:
                last = await self._ledger.last(command.job_id, command.row_number)
                if last is None:
                    raise
                continue
            break
        failpoint("shipper.after_claim")
        if command.epoch != await self._ledger.current_epoch():
            log.warning("the ledger was lost while it was claimed in", job=command.job_id, row=command.row_number)
            return
        if decision is Decision.RECONCILE:
            await self._reconcile(command, claim, last)
        elif refusal is not None:
            await self._fail(claim, refusal.error)
        else:
            await self._buy(command, claim)

    def _expired(self, command: ShipCommand) -> bool:
        if self._clock() <= command.not_after:
            return False
        log.warning("command expired", job=command.job_id, row=command.row_number)
        return True

    async def _prepare(self) -> NothingCreatedError | None:
        """Everything that can wait or fail comes before the claim."""
        try:
            await self._carrier.prepare()
        except NothingCreatedError as refusal:
            return refusal
        return None

    async def _claim(self, command: ShipCommand, expected_last: int) -> _Claim:
        deadline = SendDeadline(self._settings.send_within)
        now = self._clock()
        entry = Claimed(
            job_id=command.job_id,
            row_number=command.row_number,
            attempt=command.attempt,
            epoch=command.epoch,
            claim_id=fresh_id(),
            reference=command.reference,
            owner=OWNER,
            claimed_at=now,
            last_possible_commit=now + self._longest_commit(),
        )
        failpoint("shipper.before_claim")
        return _Claim(entry, await self._ledger.claim(entry, expected_last), deadline)

    def _longest_commit(self) -> timedelta:
        settings = self._settings
        seconds = settings.send_within + settings.call_timeout + settings.tcp_user_timeout + settings.commit_margin
        return timedelta(seconds=seconds)

    async def _buy(self, command: ShipCommand, claim: _Claim, *, calls: int = 1) -> None:
        started = time.perf_counter()
        failpoint("shipper.before_call")
        try:
            purchase = await self._carrier.buy(command.shipment, command.reference, claim.deadline)
        except DeadlinePassedError:
            await self._claim_again(command, claim, calls)
        except NothingCreatedError as refusal:
            await self._fail(claim, refusal.error)
        except UnknownOutcomeError as unknown:
            log.warning(
                "the carrier's answer is unknown", job=command.job_id, row=command.row_number, reason=str(unknown)
            )
            own = claim.entry
            await self._resolve_doubt(
                command, claim, _Doubt(str(unknown), own.claimed_at, own.last_possible_commit), calls
            )
        else:
            failpoint("shipper.after_call")
            carrier_ms = (time.perf_counter() - started) * 1000
            await self._record(claim, purchase, purchase.cost, carrier_ms=carrier_ms)

    async def _claim_again(self, command: ShipCommand, claim: _Claim, calls: int) -> None:
        """Nothing was sent before the deadline (a frozen process, a full queue): call under a fresh claim."""
        if calls >= _CALLS_A_DELIVERY:
            await self._fail(claim, TallyError(CARRIER_DEADLINE).body)
            return
        try:
            again = await self._claim(command, claim.sequence)
        except WrongLastSequenceError:
            log.warning("the claim was taken over before its call", job=command.job_id, row=command.row_number)
            return
        await self._buy(command, again, calls=calls + 1)

    async def _reconcile(self, command: ShipCommand, claim: _Claim, last: Recorded | None) -> None:
        """Take over from whoever may have called: the look-up decides."""
        match None if last is None else last.entry:
            case Claimed() as earlier:
                reason = f"an earlier claim by {earlier.owner} ended without an outcome"
                await self._resolve_doubt(
                    command, claim, _Doubt(reason, earlier.claimed_at, earlier.last_possible_commit)
                )
            case InDoubt() as parked:
                # A newer attempt exists only because a person resolved the row as not shipped.
                doubt = _Doubt("the row was in doubt before", parked.parked_at, claim.entry.claimed_at, vouched=True)
                await self._resolve_doubt(command, claim, doubt)
            case _:
                own = claim.entry
                doubt = _Doubt("the shipment ledger was lost", own.claimed_at, own.last_possible_commit)
                await self._resolve_doubt(command, claim, doubt)

    async def _resolve_doubt(self, command: ShipCommand, claim: _Claim, doubt: _Doubt, calls: int = 0) -> None:
        """Look up what an earlier call came to: adopt it, call again where nothing was sold, else park the row."""
        conclusion = await self._reconciliation.conclude(
            command.reference, doubt.since, doubt.last_commit, doubt.reason, vouched=doubt.vouched
        )
        match conclusion.proof:
            case Proof.SOLD:
                assert conclusion.purchase is not None
                cost = conclusion.purchase.cost or await self._rated(command)
                await self._record(claim, conclusion.purchase, cost, evidence=conclusion.evidence, adopted=True)
            case Proof.NOTHING:
                assert conclusion.error is not None
                await self._park(claim, conclusion.error, conclusion.evidence)
            case Proof.NOT_SOLD if calls >= _CALLS_A_DELIVERY:
                error = TallyError(CARRIER_UNAVAILABLE, operation="the shipment", reason=doubt.reason).body
                await self._fail(claim, error, conclusion.evidence)
            case Proof.NOT_SOLD:
                # A call needs a claim of its own: its deadline starts there.
                await self._claim_again(command, claim, calls)

    async def _rated(self, command: ShipCommand) -> Money | None:
        try:
            return await self._carrier.rate(command.shipment)
        except (TallyError, NothingCreatedError) as error:
            log.warning(
                "an adopted shipment's cost is unknown", job=command.job_id, row=command.row_number, error=str(error)
            )
            return None

    async def _record(
        self,
        claim: _Claim,
        purchase: Purchase,
        cost: Money | None,
        *,
        evidence: tuple[Evidence, ...] = (),
        adopted: bool = False,
        carrier_ms: float | None = None,
    ) -> None:
        failpoint("shipper.before_label")
        label_key = await self._store_labels(claim.entry, purchase)
        failpoint("shipper.after_label")
        outcome = Shipped(
            **_identity(claim.entry),
            shipment_id=purchase.shipment_id,
            tracking_numbers=purchase.tracking_numbers,
            cost=cost,
            label_key=label_key,
            label_due=label_key is None,
            shipped_at=self._clock(),
            adopted=adopted,
            carrier_ms=carrier_ms,
            evidence=evidence,
        )
        await self._settle(claim, outcome)

    async def _store_labels(self, entry: Claimed, purchase: Purchase) -> str | None:
        """Store every parcel's label; the first one's key, or None where one is still due."""
        try:
            labels = purchase.labels or [await self._carrier.label(number) for number in purchase.tracking_numbers]
            keys = [await self._put(entry, label) for label in labels]
        except (TallyError, LabelStoreError, OSError, TimeoutError) as error:
            log.warning("label due", job=entry.job_id, row=entry.row_number, error=type(error).__name__)
            return None
        return keys[0]

    async def _put(self, entry: Claimed, label: Label) -> str:
        async with asyncio.timeout(self._settings.call_timeout):
            return await self._labels.put(entry.job_id, entry.row_number, label)

    async def _fail(self, claim: _Claim, error: ErrorBody, evidence: tuple[Evidence, ...] = ()) -> None:
        outcome = Failed(**_identity(claim.entry), error=error, failed_at=self._clock(), evidence=evidence)
        await self._settle(claim, outcome)

    async def _park(self, claim: _Claim, error: ErrorBody, evidence: tuple[Evidence, ...]) -> None:
        outcome = InDoubt(
            **_identity(claim.entry),
            reference=claim.entry.reference,
            error=error,
            parked_at=self._clock(),
            evidence=evidence,
        )
        await self._settle(claim, outcome)

    async def _settle(self, claim: _Claim, outcome: Outcome) -> None:
        failpoint("shipper.before_outcome")
        if not await self._settled(claim, outcome):
            log.warning("the claim was taken over", job=outcome.job_id, row=outcome.row_number, kind=outcome.kind)
        failpoint("shipper.after_outcome")

    async def _settled(self, claim: _Claim, outcome: Outcome) -> bool:
        """Settle the claim; while the bus keeps it waiting, the outcome is on disk as well."""
        async with asyncio.TaskGroup() as group:
            settling = group.create_task(self._ledger.settle(outcome, claim.sequence))
            done, _ = await asyncio.wait((settling,), timeout=_SPOOL_AFTER)
            if done:
                return settling.result()
            async with self._spool.kept(outcome, claim.sequence):
                return await settling


def _kind(last: Recorded | None) -> LastKind:
    return "none" if last is None else last.entry.kind


def _identity(entry: Claimed) -> dict[str, Any]:
    return entry.model_dump(include={"job_id", "row_number", "attempt", "epoch", "claim_id"})
