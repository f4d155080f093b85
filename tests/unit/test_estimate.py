"""Asking the shippers for quotes: many at once, within a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from services.coordinator.pricing.estimate import Estimator
from shared.contracts.rates import Quote
from shared.errors import (
    BUS_TIMEOUT,
    CARRIER_UNAVAILABLE,
    CREDENTIALS_REFUSED,
    TallyError,
)
from shared.shipping import Money
from tests.unit.rating import Shippers, forever, nothing, shipments

PRICE = Quote(cost=Money(amount=Decimal("12.40")))
BUSY = Quote(error=TallyError(CARRIER_UNAVAILABLE, operation="Rating", reason="HTTP 429").body)
LOCKED_OUT = Quote(
    error=TallyError(CREDENTIALS_REFUSED, carrier_code="250002", carrier_message="Invalid credentials").body
)


def asking(shippers: Shippers, budget: float = 60) -> Estimator:
    return Estimator(cast("Any", shippers), budget)


async def test_every_shipment_is_rated_many_at_once_and_their_number_is_bounded() -> None:
    shippers = Shippers(lambda _: PRICE)
    full = asyncio.Event()

    async def until_full(_: int) -> None:
        if shippers.at_once == 16:
            full.set()
        await full.wait()

    shippers.held = until_full
    heard: dict[str, Quote] = {}

    async def hear(quotes: Mapping[str, Quote]) -> None:
        heard.update(quotes)

    async with asyncio.timeout(20):
        assert await asking(shippers).rate(shipments(500), hear) is None
    assert heard == dict.fromkeys(shipments(500), PRICE)
    assert shippers.most_at_once == 16
    assert len(shippers.asked) == 500


async def test_what_is_not_rated_within_the_budget_is_not_waited_for() -> None:
    shippers = Shippers(lambda shipment: PRICE if shipment.recipient.address.postal_code < "00005" else Quote())
    heard: dict[str, Quote] = {}

    async def hear(quotes: Mapping[str, Quote]) -> None:
        heard.update(quotes)

    async with asyncio.timeout(20):
        assert await asking(shippers, budget=0.2).rate(shipments(10), hear) is None
    assert list(heard) == [f"{number:05d}" for number in range(5)]


async def test_whoever_waits_hears_that_it_goes_on_even_if_nothing_comes() -> None:
    shippers = Shippers(lambda _: PRICE)
    shippers.held = forever
    twice = asyncio.Semaphore(0)

    async def hear(quotes: Mapping[str, Quote]) -> None:
        assert quotes == {}
        twice.release()

    rating = asyncio.create_task(asking(shippers).rate(shipments(500), hear))
    async with asyncio.timeout(20):
        await twice.acquire()
        await twice.acquire()
    rating.cancel()
    await asyncio.wait([rating])
    assert rating.cancelled()
    assert shippers.at_once == 0


async def test_a_shipper_that_starts_again_is_waited_for() -> None:
    shippers = Shippers(lambda _: PRICE, absent=1)
    heard: dict[str, Quote] = {}

    async def hear(quotes: Mapping[str, Quote]) -> None:
        heard.update(quotes)

    await asking(shippers).rate(shipments(5), hear)
    assert heard == dict.fromkeys(shipments(5), PRICE)


async def test_without_a_shipper_every_quote_says_so() -> None:
    heard: dict[str, Quote] = {}

    async def hear(quotes: Mapping[str, Quote]) -> None:
        heard.update(quotes)

    await asking(Shippers(lambda _: PRICE, absent=1000), budget=0.3).rate(shipments(5), hear)
    assert {quote.error.code for quote in heard.values() if quote.error} == {BUS_TIMEOUT.code}
    assert len(heard) == 5


async def test_a_carrier_that_is_away_is_not_asked_for_every_row() -> None:
    shippers = Shippers(lambda _: BUSY)
    assert await asking(shippers).rate(shipments(1000), nothing) == BUSY.error
    assert len(shippers.asked) <= 120


async def test_a_carrier_that_refuses_some_is_asked_for_the_others() -> None:
    shippers = Shippers(lambda shipment: PRICE if shipment.recipient.address.postal_code == "00000" else BUSY)
    assert await asking(shippers).rate(shipments(300), nothing) is None
    assert len(shippers.asked) == 300


async def test_refused_credentials_are_not_tried_for_every_row() -> None:
    shippers = Shippers(lambda _: LOCKED_OUT)
    assert await asking(shippers).rate(shipments(1000), nothing) == LOCKED_OUT.error
    assert len(shippers.asked) <= 80
