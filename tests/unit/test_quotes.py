"""A shipper's answer to a request for quotes."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, cast

from services.shipper.carriers.carrier import NothingCreatedError, Rate
from services.shipper.quotes import Quotes
from shared.contracts.rates import Quote, QuoteReply, QuoteRequest
from shared.errors import CARRIER_REJECTED, CARRIER_UNAVAILABLE, TallyError
from shared.shipping import Money, Shipment
from tests.unit.rating import to_zip

COST = Money(amount=Decimal("12.40"))
REFUSED = TallyError(CARRIER_REJECTED, carrier_code="111210", carrier_message="Not available")
BUSY = TallyError(CARRIER_UNAVAILABLE, operation="Rating", reason="HTTP 429")


class RatingCarrier:
    """Rates by postal code: some it refuses, some it is too busy for, some it never comes to."""

    async def rate(self, shipment: Shipment) -> Rate:
        match shipment.recipient.address.postal_code:
            case "00001":
                raise NothingCreatedError(REFUSED.body)
            case "00002":
                raise BUSY
            case "00003":
                await asyncio.Event().wait()
        return Rate(shipment.service, COST)


async def test_every_shipment_has_its_price_or_the_reason_why_not_and_neither_once_the_time_is_up() -> None:
    asked = QuoteRequest(shipments=tuple(to_zip(f"{number:05d}") for number in range(5)), within=0.2)
    async with asyncio.timeout(20):
        reply = await Quotes(cast("Any", RatingCarrier())).answer(asked.encode())
    assert QuoteReply.model_validate_json(reply).quotes == (
        Quote(cost=COST),
        Quote(error=REFUSED.body),
        Quote(error=BUSY.body),
        Quote(),
        Quote(cost=COST),
    )
