"""Who and where: contacts and postal addresses, within the limits a carrier's label has room for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Lengths are UPS Shipping v2409's (ShipTo/Name, AddressLine, City, PostalCode, Phone/Number).
Line = Annotated[str, StringConstraints(min_length=1, max_length=35)]
City = Annotated[str, StringConstraints(min_length=1, max_length=30)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Address(BaseModel):
    """A postal address; `lines` holds one to three lines, `country` is ISO 3166-1 alpha-2."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[Line, ...] = Field(min_length=1, max_length=3)
    city: City
    state: Annotated[str, StringConstraints(max_length=5)] = ""
    postal_code: Annotated[str, StringConstraints(max_length=10)] = ""
    country: Country = "US"
    residential: bool = False


class Contact(BaseModel):
    """A shipper or a recipient: a person or a company at an address."""

    model_config = ConfigDict(frozen=True)

    name: Line
    company: Annotated[str, StringConstraints(max_length=35)] = ""
    phone: Annotated[str, StringConstraints(max_length=15)] = ""
    email: Annotated[str, StringConstraints(max_length=50)] = ""
    address: Address
