"""What a row costs, as far as that is known before it ships. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.pricing.choosing import choose
from shared.contracts.rates import Offer, Quote
from shared.contracts.warning import RowWarning, WarningCode
from shared.errors import (
    LANE_NOT_SERVED,
    NO_SERVICE_IN_TIME,
    NO_SERVICE_OFFERED,
    PACKAGE_REFUSED,
    POSTAL_CODE_REFUSED,
    RECIPIENT_REFUSED,
    REGISTRY,
    SERVICE_REFUSED,
    ErrorBody,
)
from shared.shipping import Money, ServiceLevel, Shipment

NOT_NEGOTIATED = RowWarning(
    code=WarningCode.NOT_NEGOTIATED, message="The price is the carrier's published one: it names none of your own."
)
# What would be refused when it is bought as well. A refusal for any other reason may be Rating's own.
_OF_THE_ROW = {
    kind.code
    for kind in (
        RECIPIENT_REFUSED,
        POSTAL_CODE_REFUSED,
        LANE_NOT_SERVED,
        SERVICE_REFUSED,
        PACKAGE_REFUSED,
        NO_SERVICE_IN_TIME,
        NO_SERVICE_OFFERED,
    )
}


@dataclass(frozen=True)
class Price:
    """A row's price: the carrier's own or, `estimated`, that of rows like it; without a cost, why there is none.

    `negotiated` says that it is by the account's own rates, `service` what was chosen for the row, if it was.
    `zone` is the carrier's rate zone, empty where it did not tell.
    """

    cost: Money | None = None
    estimated: bool = False
    error: ErrorBody | None = None
    negotiated: bool = True
    service: ServiceLevel | None = None
    zone: str = ""

    @property
    def warnings(self) -> tuple[RowWarning, ...]:
        """What a person may want to know of it."""
        return () if self.negotiated else (NOT_NEGOTIATED,)


def is_refusal(error: ErrorBody) -> bool:
    """Whether the carrier would answer the same if it were asked again."""
    kind = REGISTRY.get(error.code)
    return kind is None or not kind.retryable


def cannot_ship(error: ErrorBody | None) -> bool:
    """Whether an error of a row's rating says that the row cannot ship: where it goes, by what, or what it is."""
    return error is not None and error.code in _OF_THE_ROW


def is_final(quote: Quote) -> bool:
    """Whether a quote says all there is to say: a price, or a refusal. Else its row is estimated by others."""
    return quote.is_priced or (quote.error is not None and is_refusal(quote.error))


def price_of(quote: Quote, shipment: Shipment, choice: ServiceChoice | None = None) -> Price:
    """The price that a final quote stands for: of the shipment's own service, or of the one that is the `choice`."""
    if choice is None or quote.error is not None:
        return Price(quote.cost, error=quote.error, negotiated=quote.negotiated, zone=quote.zone)
    found = choose(quote.offers, choice, shipment)
    if isinstance(found, Offer):
        return Price(found.cost, negotiated=found.negotiated, service=found.service, zone=found.zone)
    return Price(error=found)


def negotiation_notes(published: int) -> tuple[str, ...]:
    """What to say, once, of rows whose prices are the carrier's published ones."""
    if not published:
        return ()
    rows = "1 row" if published == 1 else f"{published:,} rows"
    return (f"The carrier named its published rates for {rows}, none of your account's own.",)
