"""Looks a row up by its reference before any second call, and says what the answer proves (DESIGN §4)."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from services.shipper.carriers.carrier import Carrier, Consistency, DateWindow, Purchase
from shared.clock import Clock
from shared.contracts.ledger import Evidence
from shared.errors import IN_DOUBT, SEVERAL_SHIPMENTS, ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.shipping import Shipment, country_of
from shared.telemetry import logger

log = logger("reconciliation")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
# A label's pick-up date is a date of the carrier's time zone, and may be set ahead.
WINDOW_MARGIN = timedelta(days=2)


class Proof(Enum):
    """What a look-up proves."""

    SOLD = auto()  # one live shipment: adopt it
    NOT_SOLD = auto()  # none, and none can appear any more: ship again
    NOTHING = auto()  # nobody can prove either: park


class Verdict(Enum):
    """What one look-up's count of shipments means at a moment."""

    SOLD = auto()
    SEVERAL = auto()
    NOT_SOLD = auto()
    LOOK_AGAIN = auto()
    PARK = auto()


def judge_finding(
    count: int, consistency: Consistency, now: datetime, last_commit: datetime, settled: datetime
) -> Verdict:
    """What `count` live shipments mean that a look-up found which was sent at `now`.

    "Not found" counts only after the earlier call's last possible commit. From there, a carrier whose look-ups are
    immediate has proved that nothing was sold; with an eventual one it takes until `settled`, and then nobody knows.
    """
    if count == 1:
        return Verdict.SOLD
    if count > 1:
        return Verdict.SEVERAL
    if consistency == "none":
        return Verdict.PARK
    if now <= last_commit:
        return Verdict.LOOK_AGAIN
    if consistency == "immediate":
        return Verdict.NOT_SOLD
    return Verdict.PARK if now >= settled else Verdict.LOOK_AGAIN


@dataclass(frozen=True)
class Sought:
    """A row's shipment as it is looked for: `since` is when the first call for it may have been made."""

    reference: str
    since: datetime
    shipment: Shipment


def difference(purchase: Purchase, shipment: Shipment) -> str | None:
    """What a found purchase has that its row's shipment does not, in words; None where it fits.

    A carrier that does not say where a parcel goes (Label Recovery) is compared by the number of parcels only.
    """
    if len(purchase.tracking_numbers) != len(shipment.packages):
        return f"{len(purchase.tracking_numbers)} parcels instead of {len(shipment.packages)}"
    address = shipment.recipient.address
    if purchase.destination is not None and purchase.destination != (address.state, country_of(address)):
        return f"it goes to {', '.join(filter(None, purchase.destination))}"
    return None


@dataclass(frozen=True)
class Conclusion:
    """What the look-ups came to: with `SOLD` the purchase, with `NOTHING` the error to park the row with."""

    proof: Proof
    evidence: tuple[Evidence, ...]
    purchase: Purchase | None = None
    error: ErrorBody | None = None


@dataclass
class Reconciliation:
    """Look-ups with one carrier account."""

    carrier: Carrier
    consistency: Consistency
    settle_time: timedelta
    clock: Clock

    async def conclude(
        self, sought: Sought, last_commit: datetime, reason: str, *, vouched: bool = False
    ) -> Conclusion:
        """Look a row's shipment up until the answer proves something or the settle time is over.

        `last_commit` is the last moment at which an earlier call can still sell a label, `reason` why anybody doubts.
        With `vouched` a person found out that nothing was bought: one look-up that finds nothing is then enough. Else
        it takes two in a row: a carrier that stood still may answer the first one before it works off a call that waits
        before it. A look-up that fails is evidence, and asked again.
        """
        evidence: list[Evidence] = []
        settled = last_commit + self.settle_time
        pause = _FIRST_PAUSE
        confirmed = vouched
        while True:
            asked_at = self.clock()
            purchases = await self._look_up(sought, evidence)
            if purchases is None:
                verdict = Verdict.PARK if asked_at >= settled else Verdict.LOOK_AGAIN
            else:
                consistency = "immediate" if vouched else self.consistency
                verdict = judge_finding(len(purchases), consistency, asked_at, last_commit, settled)
            if verdict is Verdict.NOT_SOLD and not confirmed:
                confirmed, pause, verdict = True, _FIRST_PAUSE, Verdict.LOOK_AGAIN
            match verdict:
                case Verdict.SOLD:
                    assert purchases is not None
                    (purchase,) = purchases
                    if (other := difference(purchase, sought.shipment)) is not None:
                        log.error("the shipment found does not fit the row", reference=sought.reference)
                        unfit = f"shipment {purchase.shipment_id} has it, but {other}"
                        error = TallyError(IN_DOUBT, reference=sought.reference, reason=unfit).body
                        return Conclusion(Proof.NOTHING, tuple(evidence), error=error)
                    return Conclusion(Proof.SOLD, tuple(evidence), purchase=purchase)
                case Verdict.SEVERAL:
                    assert purchases is not None
                    numbers = ", ".join(number for purchase in purchases for number in purchase.tracking_numbers)
                    log.error("several shipments for one row", reference=sought.reference, tracking_numbers=numbers)
                    error = TallyError(SEVERAL_SHIPMENTS, reference=sought.reference, tracking_numbers=numbers).body
                    return Conclusion(Proof.NOTHING, tuple(evidence), error=error)
                case Verdict.NOT_SOLD:
                    return Conclusion(Proof.NOT_SOLD, tuple(evidence))
                case Verdict.PARK:
                    error = TallyError(IN_DOUBT, reference=sought.reference, reason=reason).body
                    return Conclusion(Proof.NOTHING, tuple(evidence), error=error)
                case Verdict.LOOK_AGAIN:
                    await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # nosec B311  # noqa: S311 - jitter is no secret
                    pause = min(pause * 2, _LONGEST_PAUSE)

    async def _look_up(self, sought: Sought, evidence: list[Evidence]) -> tuple[Purchase, ...] | None:
        now = self.clock()
        window = DateWindow((sought.since - WINDOW_MARGIN).date(), (now + WINDOW_MARGIN).date())
        failpoint("shipper.before_look_up")
        try:
            finding = await self.carrier.find(sought.reference, window)
        except TallyError as error:
            log.warning("look-up failed", code=error.body.code)
            evidence.append(
                Evidence(at=now, asked=f"shipments with reference {sought.reference}", answer=str(error.body))
            )
            return None
        failpoint("shipper.after_look_up")
        evidence.append(Evidence(at=now, asked=finding.asked, answer=finding.answer))
        return finding.purchases
