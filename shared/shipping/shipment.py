"""What one order becomes: packages from one contact to another by one service level."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.shipping.address import Contact
from shared.shipping.customs import Customs
from shared.shipping.lane import country_of, crosses_customs
from shared.shipping.money import Money
from shared.shipping.service_level import ServiceLevel

Reference = Annotated[str, StringConstraints(max_length=35)]
MOST_PACKAGES = 200


class Signature(StrEnum):
    """Whose signature a parcel is handed over for."""

    NONE = "none"
    DIRECT = "direct"
    ADULT = "adult"


class Dimensions(BaseModel):
    """A box in inches."""

    model_config = ConfigDict(frozen=True)

    length: Decimal = Field(gt=0)
    width: Decimal = Field(gt=0)
    height: Decimal = Field(gt=0)


class Package(BaseModel):
    """One parcel; `weight` in pounds, at most UPS's 150. Without a declared value the carrier's own terms count."""

    model_config = ConfigDict(frozen=True)

    weight: Decimal = Field(gt=0, le=150)
    dimensions: Dimensions | None = None
    description: Annotated[str, StringConstraints(max_length=35)] = ""
    declared_value: Money | None = None


class Shipment(BaseModel):
    """One row's shipment as rendered at intake: what was previewed is what ships.

    `shipper` is the account holder where the parcels leave from elsewhere. `reference` and `cost_centre` are the
    shipper's own words, printed beside the order number. `customs` is set where a commercial invoice goes along,
    `documents_only` says that papers without a value go abroad, which need none.
    """

    model_config = ConfigDict(frozen=True)

    ship_from: Contact
    recipient: Contact
    packages: tuple[Package, ...] = Field(min_length=1, max_length=MOST_PACKAGES)
    service: ServiceLevel = ServiceLevel.GROUND
    order_number: Reference = ""
    description: Annotated[str, StringConstraints(max_length=50)] = ""
    shipper: Contact | None = None
    signature: Signature = Signature.NONE
    saturday_delivery: bool = False
    reference: Reference = ""
    cost_centre: Reference = ""
    customs: Customs | None = None
    documents_only: bool = False

    @property
    def is_international(self) -> bool:
        """Whether it crosses a customs border."""
        return crosses_customs(country_of(self.ship_from.address), country_of(self.recipient.address))

    @property
    def own_reference(self) -> str:
        """What a label says in the shipper's own words: order number, reference and cost centre."""
        return " / ".join(filter(None, (self.order_number, self.reference, self.cost_centre)))
