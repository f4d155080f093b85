"""A shipper's answer to a request for quotes."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest

from services.shipper.carriers.carrier import NothingCreatedError, Rate
from services.shipper.quotes import Quotes
from shared.contracts.rates import Offer, Quote, QuoteReply, QuoteRequest
from shared.errors import CARRIER_REJECTED, CARRIER_UNAVAILABLE, TallyError
from shared.shipping import Money, ServiceLevel, Shipment
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


PUBLISHED = Rate(ServiceLevel.GROUND, COST, negotiated=False, days=3, arrival=date(2026, 11, 25), zone="5")


class PublishingCarrier:
    """Names published prices only."""

    async def rate(self, _: Shipment) -> Rate:
        return PUBLISHED

    async def shop(self, _: Shipment) -> tuple[Rate, ...]:
        return (PUBLISHED,)


@pytest.mark.parametrize(("own_rates", "negotiated"), [(True, False), (False, True)])
async def test_a_published_price_is_told_of_an_account_that_is_to_have_its_own(
    *, own_rates: bool, negotiated: bool
) -> None:
    quotes = Quotes(cast("Any", PublishingCarrier()), own_rates=own_rates)
    told: list[Quote] = []
    for every_service in (False, True):
        asked = QuoteRequest(shipments=(to_zip("02143"),), every_service=every_service)
        told += QuoteReply.model_validate_json(await quotes.answer(asked.encode())).quotes
    offer = Offer(
        service=ServiceLevel.GROUND,
        cost=COST,
        negotiated=negotiated,
        days=3,
        arrival=date(2026, 11, 25),
        zone="5",
    )
    assert told == [Quote(cost=COST, negotiated=negotiated, zone="5"), Quote(offers=(offer,))]
