"""What one order becomes: packages from one contact to another by one service level."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.shipping.address import Contact
from shared.shipping.service_level import ServiceLevel

Reference = Annotated[str, StringConstraints(max_length=35)]


class Dimensions(BaseModel):
    """A box in inches."""

    model_config = ConfigDict(frozen=True)

    length: Decimal = Field(gt=0)
    width: Decimal = Field(gt=0)
    height: Decimal = Field(gt=0)


class Package(BaseModel):
    """One parcel; `weight` in pounds, at most UPS's 150."""

    model_config = ConfigDict(frozen=True)

    weight: Decimal = Field(gt=0, le=150)
    dimensions: Dimensions | None = None
    description: Annotated[str, StringConstraints(max_length=35)] = ""


class Shipment(BaseModel):
    """One row's shipment as rendered at intake: what was previewed is what ships."""

    model_config = ConfigDict(frozen=True)

    ship_from: Contact
    recipient: Contact
    packages: tuple[Package, ...] = Field(min_length=1, max_length=200)
    service: ServiceLevel = ServiceLevel.GROUND
    order_number: Reference = ""
    description: Annotated[str, StringConstraints(max_length=50)] = ""
