"""The shipper's answers to rate requests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest

from services.shipper.carriers.carrier import NothingCreatedError, Rate
from services.shipper.quotes import Quotes
from shared.contracts.rates import Offer, Quote, QuoteReply, QuoteRequest
from shared.errors import CARRIER_UNAVAILABLE, LANE_NOT_SERVED, TallyError
from shared.shipping import Money, ServiceLevel, Shipment
from tests.unit.rating import to_zip

PUBLISHED = Rate(
    ServiceLevel.GROUND, Money(amount=Decimal("14.20")), negotiated=False, days=3, arrival=date(2026, 11, 25)
)
REFUSED = TallyError(LANE_NOT_SERVED, carrier_code="111210", carrier_message="No service")
AWAY = TallyError(CARRIER_UNAVAILABLE, operation="Rating", reason="HTTP 503")


class Carrier:
    """Rates as told by the postal code."""

    async def rate(self, shipment: Shipment) -> Rate:
        match shipment.recipient.address.postal_code:
            case "00001":
                raise NothingCreatedError(REFUSED.body)
            case "00002":
                raise AWAY
        return PUBLISHED

    async def shop(self, _: Shipment) -> tuple[Rate, ...]:
        return (PUBLISHED,)


async def quotes(*postal_codes: str, own_rates: bool = True, every_service: bool = False) -> tuple[Quote, ...]:
    request = QuoteRequest(shipments=tuple(map(to_zip, postal_codes)), every_service=every_service)
    answering = Quotes(cast("Any", Carrier()), own_rates=own_rates)
    return QuoteReply.model_validate_json(await answering.answer(request.encode())).quotes


async def test_every_shipment_has_its_price_or_the_reason_why_not_in_the_order_asked() -> None:
    cost = Quote(cost=PUBLISHED.cost, negotiated=False)
    assert await quotes("00001", "02143", "00002") == (Quote(error=REFUSED.body), cost, Quote(error=AWAY.body))


@pytest.mark.parametrize(("own_rates", "negotiated"), [(True, False), (False, True)])
async def test_a_published_price_is_told_of_an_account_that_is_to_have_its_own(
    *, own_rates: bool, negotiated: bool
) -> None:
    (one,) = await quotes("02143", own_rates=own_rates)
    (every,) = await quotes("02143", own_rates=own_rates, every_service=True)
    offer = Offer(
        service=ServiceLevel.GROUND, cost=PUBLISHED.cost, negotiated=negotiated, days=3, arrival=date(2026, 11, 25)
    )
    assert (one.negotiated, every.offers) == (negotiated, (offer,))
