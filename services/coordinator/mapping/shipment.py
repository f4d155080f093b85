"""From a row's fields to a Shipment that the carrier can take, or to every reason why not."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial

from services.coordinator.mapping.countries import WITHOUT_POSTAL_CODES
from services.coordinator.mapping.fields import Fields
from services.coordinator.mapping.filters import (
    country_code,
    inches,
    phone,
    postal_code,
    pounds,
    service_level,
    state_code,
    yes_no,
)
from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.reading import RowReader
from shared.shipping import Address, Contact, Dimensions, Package, ServiceLevel, Shipment

_HEAVIEST = 150  # pounds per package, UPS Shipping v2409
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_DEFAULT_COUNTRY = "US"
_NEEDS_STATE = frozenset({"US", "CA"})
_STATE_LENGTH = 5  # UPS Shipping v2409, StateProvinceCode
_SIDES = ("length", "width", "height")


def to_shipment(
    fields: Fields,
    *,
    ship_from: Contact,
    service: ServiceLevel | None,
    default_weight: Decimal | None,
    default_size: Dimensions | None = None,
) -> Shipment:
    """The shipment that a row's `fields` describe.

    `service` overrides the row's own; `default_weight` (pounds) and `default_size` count where the row has none.
    Without a country the address is in the US, without a service the shipment goes by ground. Raises RowInvalidError
    with every problem of the row: E-2011 for what is missing, E-2012 for what is invalid.
    """
    row = RowReader(fields)
    if service is not None:
        row.problems.pop("service", None)
    recipient = _recipient(row)
    package = _package(row, default_weight, default_size)
    level = service or row.parsed("service", service_level, blank=ServiceLevel.GROUND)
    order_number, description = row.text("order_number"), row.text("description")
    row.raise_problems()
    assert recipient is not None
    assert package is not None
    return Shipment(
        ship_from=ship_from,
        recipient=recipient,
        packages=(package,),
        service=level,
        order_number=order_number,
        description=description,
    )


def _recipient(row: RowReader) -> Contact | None:
    company = row.text("company")
    name = row.text("recipient_name", needed=not company and "company" not in row.problems)
    address = _address(row)
    number = row.parsed("phone", phone, blank="")
    email = row.parsed("email", _email, blank="")
    if address is None or row.problems:
        return None
    return Contact(name=name or company, company=company, phone=number, email=email, address=address)


def _address(row: RowReader) -> Address | None:
    lines = (row.text("address_1", needed=True), row.text("address_2"), row.text("address_3"))
    city = row.text("city", needed=True)
    country = row.parsed("country", country_code, blank="", default=_DEFAULT_COUNTRY)
    state = code = ""
    if country:
        state = row.parsed("state", partial(_state, country=country), blank="", needed=country in _NEEDS_STATE)
        has_codes = country not in WITHOUT_POSTAL_CODES
        code = row.parsed("postal_code", partial(postal_code, country=country), blank="", needed=has_codes)
    residential = row.parsed("residential", _is_residential, blank=False)
    if row.problems:
        return None
    return Address(
        lines=tuple(line for line in lines if line),
        city=city,
        state=state,
        postal_code=code,
        country=country,
        residential=residential,
    )


def _package(row: RowReader, default_weight: Decimal | None, default_size: Dimensions | None) -> Package | None:
    default = format(default_weight, "f") if default_weight is not None else ""
    weight = row.parsed("weight", _package_weight, blank=None, default=default, needed=True)
    sides = {side: row.parsed(side, inches, blank=None) for side in _SIDES}
    if any(sides.values()):
        for side in _SIDES:
            row.text(side, needed=True)
    if weight is None or row.problems:
        return None
    return Package(weight=weight, dimensions=Dimensions.model_validate(sides) if any(sides.values()) else default_size)


def _state(text: str, country: str) -> str:
    code = state_code(text, country)
    if len(code) > _STATE_LENGTH:
        raise FieldValueError(text, f"{len(code)} characters; at most {_STATE_LENGTH}: use its code, or none")
    return code


def _package_weight(text: str) -> Decimal:
    weight = pounds(text)
    if weight > _HEAVIEST:
        raise FieldValueError(text, f"more than {_HEAVIEST} lb, the most a package may weigh")
    return weight


def _is_residential(text: str) -> bool:
    return yes_no(text, "residential", "commercial")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise FieldValueError(text, "an e-mail address looks like name@example.com")
    return text
