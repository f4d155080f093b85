"""Rate quotes: core request and reply on `tally.rates.quote`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.message import Message
from shared.errors import ErrorBody
from shared.shipping import Money, ServiceLevel, Shipment


class QuoteRequest(Message):
    """Shipments to rate; the reply has a quote for each, in this order.

    Each by its own service or, with `every_service`, by every one that its lane has, then with the time in transit. It
    comes `within` so many seconds, if that is given, with the quotes that there are by then.
    """

    shipments: tuple[Shipment, ...]
    within: Annotated[float, Field(gt=0)] | None = None
    every_service: bool = False


class Offer(BaseModel):
    """What a shipment costs by one service, and when it arrives if it leaves today, where the carrier tells.

    `days` are business days in transit. `negotiated` is false where the account is to have rates of its own, and the
    price is by none of them. `zone` is the carrier's rate zone, empty where it does not tell.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    service: ServiceLevel
    cost: Money
    negotiated: bool = True
    days: int | None = None
    arrival: date | None = None
    zone: str = ""


class Quote(BaseModel):
    """One shipment's price, or why there is none; neither where the time was up.

    `negotiated` is false where the account is to have rates of its own, and the price is by none of them. Where every
    service was asked for there are `offers` in place of the one price. `zone` is the carrier's rate zone, empty where
    it does not tell.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    cost: Money | None = None
    negotiated: bool = True
    offers: tuple[Offer, ...] = ()
    error: ErrorBody | None = None
    zone: str = ""

    @property
    def is_priced(self) -> bool:
        """Whether the carrier named a price, or several."""
        return self.cost is not None or bool(self.offers)


class QuoteReply(Message):
    """The quotes, in the request's order."""

    quotes: tuple[Quote, ...]
