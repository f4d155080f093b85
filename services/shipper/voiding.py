"""Gives shipments back to the carrier and reports what it said (DESIGN §4)."""

from __future__ import annotations

from services.shipper.carriers.calls import calls_noted, noting_calls
from services.shipper.carriers.carrier import Carrier, NothingCreatedError
from shared.bus.publishing import Publisher, fresh_id
from shared.clock import Clock
from shared.contracts import subjects
from shared.contracts.commands import VoidCommand
from shared.contracts.voiding import VoidOutcome, VoidStatus
from shared.errors import CARRIER_UNAVAILABLE, TallyError
from shared.telemetry import logger

log = logger("voiding")

MOST_DELIVERIES = 5


class Voiding:
    """Voids with one carrier account. A void may be asked for twice: the carrier says that it was done before."""

    def __init__(self, carrier: Carrier, publisher: Publisher, clock: Clock) -> None:
        self._carrier = carrier
        self._publisher = publisher
        self._clock = clock

    async def void(self, command: VoidCommand, *, delivery: int) -> None:
        """See a command through to a published outcome, so that it may be acknowledged.

        Where the carrier does not say, that is told, TallyError E-3006 is raised and the command comes again,
        MOST_DELIVERIES times in all; then that is the outcome, as it is where a command ended its shipper so often.
        """
        with noting_calls():
            error = await self._refusal(command, delivery)
            asked_again = error is not None and error.kind is CARRIER_UNAVAILABLE and delivery < MOST_DELIVERIES
            await self._tell(command, error, "unanswered" if asked_again else "refused" if error else "voided")
        if error is not None and asked_again:
            raise error

    async def _refusal(self, command: VoidCommand, delivery: int) -> TallyError | None:
        """Why the carrier keeps the shipment, or does not say; None where it took it back."""
        if delivery > MOST_DELIVERIES:
            reason = f"no answer was recorded in {MOST_DELIVERIES} tries"
            return TallyError(CARRIER_UNAVAILABLE, operation="Void", reason=reason)
        try:
            await self._carrier.void(command.shipment_id)
        except NothingCreatedError as refusal:
            return TallyError.from_body(refusal.error)
        except TallyError as error:
            log.warning("not voided", job=command.job_id, row=command.row_number, code=error.body.code)
            return error
        return None

    async def _tell(self, command: VoidCommand, error: TallyError | None, status: VoidStatus) -> None:
        outcome = VoidOutcome(
            job_id=command.job_id,
            row_number=command.row_number,
            shipment_id=command.shipment_id,
            status=status,
            at=self._clock(),
            error=None if error is None else error.body,
            calls=calls_noted(),
        )
        await self._publisher.publish(
            subjects.OUTCOMES, subjects.void_outcome(command.job_id), outcome, message_id=fresh_id()
        )
