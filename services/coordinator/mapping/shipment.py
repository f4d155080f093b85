"""From a row's fields to a Shipment that the carrier can take, or to every reason why not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import NamedTuple

from pydantic import TypeAdapter

from services.coordinator.mapping.amounts import currency_code, signature
from services.coordinator.mapping.countries import WITHOUT_POSTAL_CODES
from services.coordinator.mapping.fields import MOST_NUMBERED, Fields, numbered
from services.coordinator.mapping.filters import (
    country_code,
    phone,
    postal_code,
    state_code,
    yes_no,
)
from services.coordinator.mapping.goods import has_lines, read_customs
from services.coordinator.mapping.lane import Lane, check_phones, lane_between, read_saturday, read_service
from services.coordinator.mapping.parcels import read_packages
from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.reading import RowReader
from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.mapping.text import normalised
from shared.contracts.warning import RowWarning
from shared.shipping import (
    Address,
    Contact,
    Customs,
    Dimensions,
    ServiceLevel,
    Shipment,
    Signature,
    country_of,
)
from shared.shipping.lane import customs_country

# A model's own call costs about as much again as its validator.
_ADDRESSES, _CONTACTS = TypeAdapter(Address).validator, TypeAdapter(Contact).validator
_SHIPMENTS = TypeAdapter(Shipment).validator

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_DEFAULT_COUNTRY = "US"
_DEFAULT_CURRENCY = "USD"
_NEEDS_STATE = frozenset({"US", "CA"})
_STATE_LENGTH = 5  # UPS Shipping v2409, StateProvinceCode
_REFERENCE_LENGTH = 35  # UPS Shipping v2409, ReferenceNumber
_BETWEEN_REFERENCES = " / "
_VALUES = frozenset({"declared_value", *(numbered("customs_value", number) for number in range(1, MOST_NUMBERED + 1))})


@dataclass(frozen=True)
class Defaults:
    """What counts where an order says nothing: weight in pounds, size, the country that goods were made in."""

    weight: Decimal | None = None
    size: Dimensions | None = None
    origin: str = ""


@dataclass(frozen=True)
class Senders:
    """Where orders may leave from: `account` unless a row names one of `warehouses`."""

    account: Contact | None
    warehouses: Mapping[str, Contact] = field(default_factory=dict)

    def named(self, name: str) -> Contact | None:
        """The warehouse of that name, whatever its case, spaces and punctuation."""
        return self._by_name.get(normalised(name))

    @cached_property
    def _by_name(self) -> Mapping[str, Contact]:
        return {normalised(name): contact for name, contact in self.warehouses.items()}


class MappedOrder(NamedTuple):
    """The shipment that an order is, and what a person may want to know of how it became that."""

    shipment: Shipment
    warnings: tuple[RowWarning, ...] = ()


def map_order(
    fields: Fields,
    *,
    senders: Senders,
    service: ServiceLevel | ServiceChoice | None,
    defaults: Defaults | None = None,
) -> MappedOrder:
    """The shipment that a row's `fields` describe.

    `service` overrides the row's own. Without a country the address is in the US; without a service, or with one that
    is chosen later, the shipment goes by ground, abroad by UPS Standard where that goes. Texts that name nobody and no
    place (company, description, reference) are cut to what the label has room for, with a warning each; every other one
    that is too long is refused. Raises RowInvalidError with every problem of the row: E-2011 for what is missing,
    E-2012 for what is invalid.
    """
    defaults = defaults or Defaults()
    row = RowReader(fields)
    if service is not None:
        row.problems.pop("service", None)
    recipient = _recipient(row)
    ship_from = _ship_from(row, senders)
    lane = _lane(row, ship_from, recipient)
    currency = _currency(row, fields)
    packages = read_packages(row, fields, currency, defaults.weight, defaults.size)
    is_open = isinstance(service, ServiceChoice)
    level = service if isinstance(service, ServiceLevel) else read_service(row, lane, is_open=is_open)
    check_phones(row, lane, level, senders.account or ship_from)
    documents_only = lane.crosses_customs and row.parsed("documents_only", yes_no, blank=False)
    customs = _customs(row, fields, currency, defaults.origin, lane, documents_only=documents_only)
    references = _references(row)
    description = row.cut("description")
    signed_for = row.parsed("signature", signature, blank=Signature.NONE)
    on_saturday = read_saturday(row, None if is_open else level)
    row.raise_problems()
    assert recipient is not None
    assert ship_from is not None
    shipment = _SHIPMENTS.validate_python(
        {
            "ship_from": ship_from,
            "recipient": recipient,
            "packages": packages,
            "service": level,
            "shipper": None if senders.account is ship_from else senders.account,
            "signature": signed_for,
            "saturday_delivery": on_saturday,
            "customs": customs,
            "documents_only": documents_only,
            "description": description,
            **references,
        }
    )
    return MappedOrder(shipment, tuple(row.warnings))


def _lane(row: RowReader, ship_from: Contact | None, recipient: Contact | None) -> Lane:
    origin = "" if ship_from is None else country_of(ship_from.address)
    if recipient is not None:
        return lane_between(origin, country_of(recipient.address))
    country = row.parsed("country", country_code, blank="", default=_DEFAULT_COUNTRY)
    state = row.parsed("state", _state, country, blank="") if country else ""
    return lane_between(origin, customs_country(country, state))


def _ship_from(row: RowReader, senders: Senders) -> Contact | None:
    name = row.text("ship_from", needed=senders.account is None)
    if not name:
        return senders.account
    warehouse = senders.named(name)
    if warehouse is None:
        known = ", ".join(senders.warehouses) or "none; set TALLY_WAREHOUSES"
        row.refuse("ship_from", name, f"there is no such warehouse; known are: {known}")
    return warehouse


def _currency(row: RowReader, fields: Fields) -> str:
    """The currency of an order's amounts of money; without any it does not matter what the row says."""
    if not fields.packages and not fields.lines and _VALUES.isdisjoint(fields.texts):
        return _DEFAULT_CURRENCY
    parts = (fields, *(part for _, part in (*fields.packages, *fields.lines)))
    has_values = any(part.texts.get(field, "").strip() for part in parts for field in _VALUES & part.texts.keys())
    return row.parsed("currency", currency_code, blank=_DEFAULT_CURRENCY) if has_values else _DEFAULT_CURRENCY


def _customs(
    row: RowReader, fields: Fields, currency: str, default_origin: str, lane: Lane, *, documents_only: bool
) -> Customs | None:
    """What customs is told of an order that crosses a border; the fields for it do not matter to any other."""
    if not lane.crosses_customs:
        return None
    if not documents_only:
        return read_customs(row, fields, currency, default_origin, lane.destination)
    if has_lines(row, fields):
        row.refuse("documents_only", "yes", "the order has lines for customs; leave out one or the other")
    return None


def _references(row: RowReader) -> dict[str, str]:
    """Order number, reference and cost centre, which share one of the two references that UPS takes.

    A number or a cost centre that is cut short is another one: what gives way is the reference.
    """
    order_number, cost_centre = row.text("order_number"), row.text("cost_centre")
    beside = [text for text in (order_number, cost_centre) if text]
    length = len(_BETWEEN_REFERENCES.join(beside))
    if length > _REFERENCE_LENGTH:
        reason = f"order_number and cost_centre have {length} characters together; at most {_REFERENCE_LENGTH}"
        row.refuse("cost_centre", cost_centre, reason)
    room = _REFERENCE_LENGTH - (length + len(_BETWEEN_REFERENCES) if beside else 0)
    reference = row.cut("reference", max(room, 0))
    return {"order_number": order_number, "cost_centre": cost_centre, "reference": reference}


def _recipient(row: RowReader) -> Contact | None:
    # A company that stands for the name is a name.
    company = row.cut("company") if row.says("recipient_name") else row.text("company")
    name = row.text("recipient_name", needed=not company and "company" not in row.problems)
    address = _address(row)
    number = row.parsed("phone", phone, blank="")
    email = row.parsed("email", _email, blank="")
    if address is None or row.problems:
        return None
    contact: Contact = _CONTACTS.validate_python(
        {"name": name or company, "company": company, "phone": number, "email": email, "address": address}
    )
    return contact


def _address(row: RowReader) -> Address | None:
    lines = (row.text("address_1", needed=True), row.text("address_2"), row.text("address_3"))
    city = row.text("city", needed=True)
    country = row.parsed("country", country_code, blank="", default=_DEFAULT_COUNTRY)
    state = code = ""
    if country:
        state = row.parsed("state", _state, country, blank="", needed=country in _NEEDS_STATE)
        has_codes = country not in WITHOUT_POSTAL_CODES
        code = row.parsed("postal_code", postal_code, country, blank="", needed=has_codes)
    residential = row.parsed("residential", _is_residential, blank=False)
    if row.problems:
        return None
    given = tuple([line for line in lines if line])
    address: Address = _ADDRESSES.validate_python(
        {
            "lines": given,
            "city": city,
            "state": state,
            "postal_code": code,
            "country": country,
            "residential": residential,
        }
    )
    return address


@lru_cache(maxsize=4096)
def _state(text: str, country: str) -> str:
    code = state_code(text, country)
    if len(code) > _STATE_LENGTH:
        raise FieldValueError(text, f"{len(code)} characters; at most {_STATE_LENGTH}: use its code, or none")
    return code


def _is_residential(text: str) -> bool:
    return yes_no(text, "residential", "commercial")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise FieldValueError(text, "an e-mail address looks like name@example.com")
    return text
