"""Rate quotes: core request and reply on `tally.rates.quote`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.contracts.message import Message
from shared.errors import ErrorBody
from shared.shipping import Money, Shipment


class QuoteRequest(Message):
    """Shipments to rate; the reply has a quote for each, in this order."""

    shipments: tuple[Shipment, ...]


class Quote(BaseModel):
    """One shipment's price, or why there is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cost: Money | None = None
    error: ErrorBody | None = None


class QuoteReply(Message):
    """The quotes, in the request's order."""

    quotes: tuple[Quote, ...]
