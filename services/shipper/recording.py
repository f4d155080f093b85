"""Puts outcomes into the ledger: labels stored first, on disk while the bus is away, behind the entry they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from obstore.exceptions import BaseError as LabelStoreError

from services.shipper.carriers.calls import calls_noted
from services.shipper.carriers.carrier import Carrier, Label, NothingCreatedError, Purchase
from services.shipper.labels import LabelStore
from services.shipper.spool import Spool
from shared.bus.ledger import Ledger
from shared.clock import Clock
from shared.contracts.ledger import Claimed, Evidence, Failed, InDoubt, Outcome, Shipped
from shared.errors import ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.shipping import Money, Shipment
from shared.telemetry import logger, tracing

log = logger("recording")

_SPOOL_AFTER = 0.5
_LABELS_AT_ONCE = 8


@dataclass(frozen=True)
class Place:
    """Where an outcome goes: behind `entry`, a claim of ours or a doubt to be ended, at `sequence` in the ledger."""

    entry: Claimed | InDoubt
    sequence: int


@dataclass(frozen=True)
class Findings:
    """What the look-ups before an outcome told; `adopted` says that one of them found the label."""

    evidence: tuple[Evidence, ...] = ()
    adopted: bool = False


NO_FINDINGS = Findings()


class Recorder:
    """Records what became of rows."""

    def __init__(
        self,
        carrier: Carrier,
        labels: LabelStore,
        ledger: Ledger,
        spool: Spool,
        clock: Clock,
        *,
        label_within: timedelta,
    ) -> None:
        self._carrier = carrier
        self._labels = labels
        self._ledger = ledger
        self._spool = spool
        self._clock = clock
        self._label_within = label_within.total_seconds()

    async def sold(
        self,
        place: Place,
        purchase: Purchase,
        *,
        cost: Money | None,
        findings: Findings = NO_FINDINGS,
        carrier_ms: float | None = None,
    ) -> bool:
        """Record a sale; False where the claim was taken over (the sale is then in the late ledger)."""
        failpoint("shipper.before_label")
        with tracing.span("store labels"):
            keys = await self._store_labels(place.entry, purchase)
            invoice_key = await self._store_invoice(place.entry, purchase)
        failpoint("shipper.after_label")
        outcome = Shipped(
            **_identity(place.entry),
            shipment_id=purchase.shipment_id,
            tracking_numbers=purchase.tracking_numbers,
            cost=cost,
            label_key=next(iter(keys), None),
            label_due=not keys,
            label_keys=every(keys),
            invoice_key=invoice_key,
            shipped_at=self._clock(),
            adopted=findings.adopted,
            carrier_ms=carrier_ms,
            evidence=findings.evidence,
            calls=calls_noted(),
        )
        return await self._settle(place, outcome)

    async def failed(self, place: Place, error: ErrorBody, findings: Findings = NO_FINDINGS) -> bool:
        """Record that nothing was bought."""
        outcome = Failed(
            **_identity(place.entry),
            error=error,
            failed_at=self._clock(),
            evidence=findings.evidence,
            calls=calls_noted(),
        )
        return await self._settle(place, outcome)

    async def parked(self, place: Place, error: ErrorBody, last_commit: datetime, findings: Findings) -> bool:
        """Record that nobody can prove whether a label was bought; until `last_commit` one still can be."""
        outcome = InDoubt(
            **_identity(place.entry),
            reference=place.entry.reference,
            error=error,
            parked_at=self._clock(),
            last_possible_commit=last_commit,
            evidence=findings.evidence,
            calls=calls_noted(),
        )
        return await self._settle(place, outcome)

    async def rated(self, shipment: Shipment) -> Money | None:
        """What a found shipment will have cost, by the account's rates; None where they cannot be had."""
        try:
            return (await self._carrier.rate(shipment)).cost
        except (TallyError, NothingCreatedError) as error:
            log.warning("a found shipment's cost is unknown", error=str(error))
            return None

    async def store_labels(self, job_id: str, row_number: int, purchase: Purchase) -> tuple[str, ...]:
        """Store every parcel's label, fetched where the purchase has none; their keys in the parcels' order.

        Raises TallyError E-3006, or the label store's error.
        """
        parcels: Sequence[Label | str] = purchase.labels or purchase.tracking_numbers
        keys: list[str] = []
        for start in range(0, len(parcels), _LABELS_AT_ONCE):
            some = parcels[start : start + _LABELS_AT_ONCE]
            keys += await _together(self._kept(job_id, row_number, parcel) for parcel in some)
        return tuple(keys)

    async def _kept(self, job_id: str, row_number: int, parcel: Label | str) -> str:
        """The key of a parcel's label, or of the one that the carrier has for its number, once it is stored."""
        label = await self._carrier.label(parcel) if isinstance(parcel, str) else parcel
        return await self._put(job_id, row_number, label)

    async def _store_labels(self, entry: Claimed | InDoubt, purchase: Purchase) -> tuple[str, ...]:
        """Every label's key; none where not all could be stored in time: the sale is still to be recorded."""
        try:
            async with asyncio.timeout(self._label_within):
                return await self.store_labels(entry.job_id, entry.row_number, purchase)
        except (TallyError, LabelStoreError, OSError, TimeoutError) as error:
            log.warning("label due", job=entry.job_id, row=entry.row_number, error=type(error).__name__)
            return ()

    async def _store_invoice(self, entry: Claimed | InDoubt, purchase: Purchase) -> str | None:
        if purchase.invoice is None:
            return None
        try:
            async with asyncio.timeout(self._label_within):
                return await self._labels.put_invoice(
                    entry.job_id, entry.row_number, purchase.shipment_id, purchase.invoice
                )
        except (LabelStoreError, OSError, TimeoutError) as error:
            log.error("invoice not kept", job=entry.job_id, row=entry.row_number, error=type(error).__name__)
            return None

    async def _put(self, job_id: str, row_number: int, label: Label) -> str:
        async with asyncio.timeout(self._label_within):
            return await self._labels.put(job_id, row_number, label)

    async def _settle(self, place: Place, outcome: Outcome) -> bool:
        failpoint("shipper.before_outcome")
        settled = await self._settled(place, outcome)
        if not settled:
            log.warning("the claim was taken over", job=outcome.job_id, row=outcome.row_number, kind=outcome.kind)
        failpoint("shipper.after_outcome")
        return settled

    async def _settled(self, place: Place, outcome: Outcome) -> bool:
        """Settle; while the bus keeps it waiting, the outcome is on disk as well."""
        async with asyncio.TaskGroup() as group:
            settling = group.create_task(self._ledger.settle(outcome, place.sequence))
            done, _ = await asyncio.wait((settling,), timeout=_SPOOL_AFTER)
            if done:
                return settling.result()
            async with self._spool.kept(outcome, place.sequence):
                return await settling


async def _together(calls: Iterable[Coroutine[None, None, str]]) -> list[str]:
    """What all of `calls` give, in their order; raises what the first one raises that fails."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return [task.result() for task in tasks]


def every(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a shipment of several parcels; none of a single one, whose key is told anyway."""
    return keys if len(keys) > 1 else ()


def _identity(entry: Claimed | InDoubt) -> dict[str, Any]:
    return entry.model_dump(include={"job_id", "row_number", "attempt", "epoch", "claim_id"})
