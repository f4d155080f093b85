"""Rate quotes: core request and reply on `tally.rates.quote`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.message import Message
from shared.errors import ErrorBody
from shared.shipping import Money, Shipment


class QuoteRequest(Message):
    """Shipments to rate; the reply has a quote for each, in this order.

    It comes `within` so many seconds, if that is given, with the quotes that there are by then.
    """

    shipments: tuple[Shipment, ...]
    within: Annotated[float, Field(gt=0)] | None = None


class Quote(BaseModel):
    """One shipment's price, or why there is none; neither where the time was up."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cost: Money | None = None
    error: ErrorBody | None = None


class QuoteReply(Message):
    """The quotes, in the request's order."""

    quotes: tuple[Quote, ...]
