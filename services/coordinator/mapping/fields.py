"""The fields a mapping may fill, and how long the carrier lets each be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import ErrorBody

FIELDS = (
    "recipient_name",
    "company",
    "phone",
    "email",
    "address_1",
    "address_2",
    "address_3",
    "city",
    "state",
    "postal_code",
    "country",
    "residential",
    "weight",
    "length",
    "width",
    "height",
    "service",
    "order_number",
    "description",
)

# A row whose text here says yes is no order, and is left out.
SKIP = "skip"

# Of each choice a mapping must fill one field, or no row could ship.
NEEDED = (("recipient_name", "company"), ("address_1",), ("city",))

# In characters: UPS Shipping v2409's ShipTo, ReferenceNumber and Description, as shared/shipping declares them.
TEXT_LIMITS: Mapping[str, int] = {
    "recipient_name": 35,
    "company": 35,
    "email": 50,
    "address_1": 35,
    "address_2": 35,
    "address_3": 35,
    "city": 30,
    "order_number": 35,
    "description": 50,
}


@dataclass(frozen=True)
class Fields:
    """One row's fields as text, blank where the mapping gives none, and the problems met while rendering them."""

    texts: Mapping[str, str]
    problems: Mapping[str, ErrorBody] = field(default_factory=dict)
