"""What a row costs, as far as that is known before it ships. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.rates import Quote
from shared.errors import REGISTRY, ErrorBody
from shared.shipping import Money


@dataclass(frozen=True)
class Price:
    """A row's price: the carrier's own or, `estimated`, that of rows like it; without a cost, why there is none."""

    cost: Money | None = None
    estimated: bool = False
    error: ErrorBody | None = None


def is_refusal(error: ErrorBody) -> bool:
    """Whether the carrier would answer the same if it were asked again."""
    kind = REGISTRY.get(error.code)
    return kind is None or not kind.retryable


def is_final(quote: Quote) -> bool:
    """Whether a quote says all there is to say: a price, or a refusal. Else its row is estimated by others."""
    return quote.cost is not None or (quote.error is not None and is_refusal(quote.error))


def price_of(quote: Quote) -> Price:
    """The price that a final quote stands for."""
    return Price(cost=quote.cost, error=quote.error)
