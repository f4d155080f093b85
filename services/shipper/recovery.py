"""What the coordinator asks to have looked up once a row is out of a shipper's hands: a label due, a row in doubt."""

from __future__ import annotations

from dataclasses import replace

from obstore.exceptions import BaseError as LabelStoreError

from services.shipper.carriers.calls import calls_noted, noting_calls
from services.shipper.carriers.carrier import Carrier, DateWindow, Purchase
from services.shipper.reconciliation import WINDOW_MARGIN, difference
from services.shipper.recording import Findings, Place, Recorder, every
from shared.bus.ledger import Ledger
from shared.clock import Clock
from shared.contracts.ledger import Evidence, InDoubt
from shared.contracts.lookups import FindShipment, LabelRecovered, RecoverLabel, ShipmentSought
from shared.errors import LABEL_NOT_STORED, TallyError
from shared.telemetry import logger

log = logger("recovery")


class Recovery:
    """Answers the look-ups that the coordinator asks for; asking again does no harm."""

    def __init__(self, carrier: Carrier, recorder: Recorder, ledger: Ledger, clock: Clock) -> None:
        self._carrier = carrier
        self._recorder = recorder
        self._ledger = ledger
        self._clock = clock

    async def recover_label(self, body: bytes) -> bytes:
        """From a RecoverLabel's body to a LabelRecovered's: the row's label, and its cost where that is wanted."""
        with noting_calls():
            recovered = await self._recovered(RecoverLabel.model_validate_json(body))
            return recovered.model_copy(update={"calls": calls_noted()}).encode()

    async def _recovered(self, call: RecoverLabel) -> LabelRecovered:
        cost = None if call.shipment is None else await self._recorder.rated(call.shipment)
        try:
            purchase = await self._whole(call)
            keys = await self._recorder.store_labels(call.job_id, call.row_number, purchase)
        except TallyError as error:
            return LabelRecovered(cost=cost, error=error.body)
        except (LabelStoreError, OSError, TimeoutError) as error:
            not_stored = TallyError(LABEL_NOT_STORED, row_number=call.row_number, reason=type(error).__name__)
            return LabelRecovered(cost=cost, error=not_stored.body)
        recovered = LabelRecovered(label_key=keys[0], label_keys=every(keys), cost=cost)
        if purchase.tracking_numbers == call.tracking_numbers:
            return recovered
        told = {"shipment_id": purchase.shipment_id, "tracking_numbers": purchase.tracking_numbers}
        return recovered.model_copy(update=told)

    async def _whole(self, call: RecoverLabel) -> Purchase:
        """The shipment whose labels are wanted, its known numbers first; with those alone where no other is found.

        Raises TallyError E-3006 where the carrier cannot say.
        """
        known = call.tracking_numbers
        if len(known) < call.parcels and call.since is not None:
            window = DateWindow((call.since - WINDOW_MARGIN).date(), (self._clock() + WINDOW_MARGIN).date())
            for purchase in (await self._carrier.find(call.reference, window)).purchases:
                if set(known) <= set(purchase.tracking_numbers):
                    numbers = tuple(dict.fromkeys((*known, *purchase.tracking_numbers)))
                    labels = tuple(sorted(purchase.labels, key=lambda label: numbers.index(label.tracking_number)))
                    return replace(purchase, tracking_numbers=numbers, labels=labels)
        return Purchase(known[0], known, None)

    async def find_shipment(self, body: bytes) -> bytes:
        """From a FindShipment's body to a ShipmentSought's: one more look-up for a row in doubt.

        A single live shipment that fits the row ends the doubt: it is recorded in the ledger behind it.
        """
        with noting_calls():
            return (await self._sought(FindShipment.model_validate_json(body))).encode()

    async def _sought(self, call: FindShipment) -> ShipmentSought:
        last = await self._ledger.last(call.job_id, call.row_number)
        if last is None or not isinstance(last.entry, InDoubt):
            return ShipmentSought()
        now = self._clock()
        asked = f"shipments with reference {call.reference}"
        try:
            window = DateWindow((call.since - WINDOW_MARGIN).date(), (now + WINDOW_MARGIN).date())
            finding = await self._carrier.find(call.reference, window)
        except TallyError as error:
            evidence = Evidence(at=now, asked=asked, answer=str(error.body))
            return ShipmentSought(evidence=(evidence,), calls=calls_noted())
        evidence = Evidence(at=now, asked=finding.asked, answer=finding.answer)
        if len(finding.purchases) != 1 or difference(finding.purchases[0], call.shipment) is not None:
            return ShipmentSought(evidence=(evidence,), calls=calls_noted())
        purchase = finding.purchases[0]
        adopted = await self._recorder.sold(
            Place(last.entry, last.sequence),
            purchase,
            cost=purchase.cost or await self._recorder.rated(call.shipment),
            findings=Findings((*last.entry.evidence, evidence), adopted=True),
        )
        log.warning("a row in doubt was found shipped", job=call.job_id, row=call.row_number, adopted=adopted)
        return ShipmentSought(evidence=(evidence,), adopted=adopted)
