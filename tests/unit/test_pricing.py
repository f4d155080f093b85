"""A batch's prices: identical shipments rated once, what is not rated in time estimated."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.pricing import pricing as module
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.price import Price
from services.coordinator.pricing.pricing import Pricing, rate_key
from shared.contracts.rates import Offer, Quote
from shared.errors import CARRIER_REJECTED, CARRIER_UNAVAILABLE, TallyError
from shared.shipping import Money, ServiceLevel, Shipment, Signature
from tests.unit.rating import Shippers, nothing, shipments, to_zip

COST = Money(amount=Decimal("12.40"))
REFUSED = TallyError(CARRIER_REJECTED, carrier_code="111210", carrier_message="Not available").body
BUSY = TallyError(CARRIER_UNAVAILABLE, operation="Rating", reason="HTTP 429").body


def pricing(shippers: Shippers, budget: float = 60) -> Pricing:
    return Pricing(Estimator(cast("Any", shippers), budget))


async def test_shipments_that_cost_the_same_are_rated_once() -> None:
    shippers = Shippers(lambda _: Quote(cost=COST))
    prices = pricing(shippers)
    tickets = [prices.add(to_zip("02143", order_number=str(number))) for number in range(30)]
    await prices.rate(nothing)
    assert len(shippers.asked) == 1
    assert {prices.price(ticket) for ticket in tickets} == {Price(COST)}


def test_whatever_a_carrier_charges_for_makes_another_price() -> None:
    plain = to_zip("02143")
    heavier = plain.packages[0].model_copy(update={"weight": Decimal(30)})
    others = [
        to_zip("02144"),
        to_zip("02143", packages=(heavier,)),
        to_zip("02143", packages=plain.packages * 2),
        to_zip("02143", service=ServiceLevel.NEXT_DAY_AIR),
        to_zip("02143", signature=Signature.ADULT),
        to_zip("02143", saturday_delivery=True),
    ]
    assert len({rate_key(shipment) for shipment in (plain, *others)}) == 7


async def test_a_refused_row_has_no_price_but_the_carriers_words() -> None:
    prices = pricing(
        Shippers(lambda shipment: Quote(error=REFUSED) if shipment.service == "next_day_air" else Quote(cost=COST))
    )
    ground, air = prices.add(to_zip("02143")), prices.add(to_zip("02143", service=ServiceLevel.NEXT_DAY_AIR))
    await prices.rate(nothing)
    assert (prices.price(ground), prices.price(air)) == (Price(COST), Price(error=REFUSED))


async def test_a_row_that_the_carrier_was_too_busy_for_is_estimated() -> None:
    prices = pricing(
        Shippers(
            lambda shipment: (
                Quote(error=BUSY) if shipment.recipient.address.postal_code == "02144" else Quote(cost=COST)
            )
        )
    )
    rated, busy = prices.add(to_zip("02143")), prices.add(to_zip("02144"))
    await prices.rate(nothing)
    assert (prices.price(rated), prices.price(busy)) == (Price(COST), Price(COST, estimated=True))


async def test_where_nothing_was_rated_a_row_says_why_it_has_no_price() -> None:
    busy = pricing(Shippers(lambda _: Quote(error=BUSY)))
    slow = pricing(Shippers(lambda _: Quote()), budget=30)
    for prices, reason in ((busy, BUSY.message), (slow, "no price came within 30 s")):
        ticket = prices.add(to_zip("02143"))
        await prices.rate(nothing)
        error = prices.price(ticket).error
        assert error is not None
        assert reason in error.message


async def test_what_was_never_asked_for_says_why_that_was_given_up() -> None:
    prices = pricing(Shippers(lambda _: Quote(error=BUSY)))
    tickets = [prices.add(shipment) for shipment in shipments(1000).values()]
    await prices.rate(nothing)
    assert prices.price(tickets[-1]) == Price(error=BUSY)


async def test_more_rows_than_can_be_rated_are_estimated_by_those_from_all_over_the_batch(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MOST_ASKED_FOR", 100)
    shippers = Shippers(lambda _: Quote(cost=COST))
    prices = pricing(shippers)
    tickets = [prices.add(shipment) for shipment in shipments(150).values()]
    await prices.rate(nothing)
    assert [prices.price(ticket) for ticket in tickets] == [Price(COST)] * 100 + [Price(COST, estimated=True)] * 50
    order = [int(shipment.recipient.address.postal_code) for shipment in shippers.asked]
    assert order[:20] == list(range(20))
    assert sorted(order) == list(range(100))
    # Of what is asked for next, as many are from one half of the batch as from the other.
    assert sum(number >= 60 for number in order[20:40]) in {9, 10, 11}


async def test_a_choice_is_made_for_each_shipment_from_its_offers_and_whatever_its_service() -> None:
    def offered(shipment: Shipment) -> Quote:
        cheap = Offer(service=ServiceLevel.GROUND, cost=COST)
        fast = Offer(service=ServiceLevel.NEXT_DAY_AIR, cost=COST + COST, negotiated=False)
        return Quote(offers=(fast, cheap) if shipment.recipient.address.postal_code == "02143" else (fast,))

    shippers = Shippers(offered)
    prices = Pricing(Estimator(cast("Any", shippers), 60), ServiceChoice())
    tickets = [
        prices.add(to_zip("02143")),
        prices.add(to_zip("02143", service=ServiceLevel.NEXT_DAY_AIR)),
        prices.add(to_zip("02144")),
    ]
    await prices.rate(nothing)
    assert len(shippers.asked) == 2
    first, second, third = map(prices.price, tickets)
    assert first == second == Price(COST, service=ServiceLevel.GROUND)
    assert third == Price(COST + COST, negotiated=False, service=ServiceLevel.NEXT_DAY_AIR)
    assert [warning.code for warning in third.warnings] == ["not_negotiated"]


async def test_a_service_is_not_chosen_by_the_prices_of_other_rows() -> None:
    def offered(shipment: Shipment) -> Quote:
        if shipment.recipient.address.postal_code == "02143":
            return Quote(offers=(Offer(service=ServiceLevel.GROUND, cost=COST),))
        return Quote(error=BUSY)

    prices = Pricing(Estimator(cast("Any", Shippers(offered)), 60), ServiceChoice())
    _, other = prices.add(to_zip("02143")), prices.add(to_zip("02144"))
    await prices.rate(nothing)
    assert prices.price(other) == Price(error=BUSY)
