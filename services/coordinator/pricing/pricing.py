"""The prices of one batch: identical shipments rated once, what is not rated in time estimated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.likeness import LikelyCosts, Likeness, likeness
from services.coordinator.pricing.price import Price, is_final, price_of
from shared.contracts.rates import Quote
from shared.errors import CARRIER_UNAVAILABLE, ErrorBody, TallyError
from shared.shipping import Shipment

# More than can be rated within any usual time; the others are not kept in memory.
MOST_ASKED_FOR = 20_000
# A person sees the first rows; the others are asked for evenly spread, so that what is rated speaks for the rest.
_FIRST = 20
_GOLDEN_SHARE = 0.6180339887498949
_WHO: Any = {"name": True, "company": True, "phone": True, "email": True, "address": {"lines": True}}
_NOT_RATED: Any = {
    "ship_from": _WHO,
    "recipient": _WHO,
    "packages": {"__all__": {"description": True}},
    "order_number": True,
    "description": True,
    "reference": True,
    "cost_centre": True,
}


class Heard(NamedTuple):
    """What was heard of a batch meanwhile: final prices by the tickets' keys, and the keys that were `answered` for."""

    prices: Mapping[str, Price]
    answered: tuple[str, ...]


HeardPrices = Callable[[Heard], Awaitable[None]]


class Ticket(NamedTuple):
    """What a row's price is asked for by; `key` is None where the carrier is not asked."""

    key: str | None
    likeness: Likeness


def rate_key(shipment: Shipment, *, whatever_service: bool = False) -> str:
    """Shipments with the same key cost the same: they differ in nothing but in who gets what.

    With `whatever_service` they may differ in their service as well.
    """
    if not whatever_service:
        return _digest(shipment.model_dump_json(exclude=_NOT_RATED))
    # Without a phone there are services that it cannot go by.
    return _digest(
        f"{bool(shipment.recipient.phone)} {shipment.model_dump_json(exclude=_NOT_RATED | {'service': True})}"
    )


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


class Pricing:
    """Takes a batch's shipments in, has them rated, then knows a price for each.

    With a `choice` each is rated by every service, and its price is that of the service which is the choice.
    """

    def __init__(self, estimator: Estimator, choice: ServiceChoice | None = None) -> None:
        self._estimator = estimator
        self._choice = choice
        self._shipments: dict[str, Shipment] = {}
        self._likenesses: dict[str, Likeness] = {}
        self._quotes: dict[str, Quote] = {}
        self._likely = LikelyCosts(())
        self._given_up: ErrorBody | None = None

    def add(self, shipment: Shipment) -> Ticket:
        """Note that `shipment` is to be priced; what it is asked for by after `rate`."""
        key, its = rate_key(shipment, whatever_service=self._choice is not None), likeness(shipment)
        if key not in self._shipments:
            if len(self._shipments) >= MOST_ASKED_FOR:
                return Ticket(None, its)
            self._shipments[key] = shipment
            self._likenesses[key] = its
        return Ticket(key, its)

    async def rate(self, heard: HeardPrices, *, budget: float | None = None) -> None:
        """Have what was added rated within the budget. `heard` is told at least once a second.

        That is of prices and refusals as they come, by the tickets' keys, and of how many shipments were answered for.
        """

        async def noted(quotes: Mapping[str, Quote]) -> None:
            self._quotes |= quotes
            final = {key: self._price_of(key, quote) for key, quote in quotes.items() if is_final(quote)}
            await heard(Heard(final, tuple(quotes)))

        order = {key: self._shipments[key] for key in spread(self._shipments)}
        every_service = self._choice is not None
        self._given_up = await self._estimator.rate(order, noted, every_service=every_service, budget=budget)
        self._likely = LikelyCosts(
            (self._likenesses[key], quote.cost) for key, quote in self._quotes.items() if quote.cost is not None
        )

    def price(self, ticket: Ticket) -> Price:
        """A shipment's price once `rate` is over. Where a service is to be chosen there is none without the carrier."""
        quote = self._quotes.get(ticket.key) if ticket.key is not None else None
        if quote is not None and ticket.key is not None and is_final(quote):
            return self._price_of(ticket.key, quote)
        likely = self._likely.of(ticket.likeness)
        if likely is not None:
            return Price(likely, estimated=True)
        return Price(error=(quote.error if quote is not None else None) or self._given_up or self._too_slow())

    def _price_of(self, key: str, quote: Quote) -> Price:
        return price_of(quote, self._shipments[key], self._choice)

    def _too_slow(self) -> ErrorBody:
        reason = f"no price came within {self._estimator.budget:g} s"
        return TallyError(CARRIER_UNAVAILABLE, operation="Rating", reason=reason).body


def spread(keys: Iterable[str]) -> list[str]:
    """The first keys, then the others so that however many of them are taken, they are from all over the batch."""
    given = iter(keys)
    first = list(islice(given, _FIRST))
    rest = sorted((number * _GOLDEN_SHARE % 1, key) for number, key in enumerate(given))
    return first + [key for _, key in rest]
