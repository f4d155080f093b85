"""The fields a mapping may fill, and how long the carrier lets each be."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

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
    "packages",
    "weight",
    "length",
    "width",
    "height",
    "declared_value",
    "currency",
    "service",
    "signature",
    "saturday_delivery",
    "ship_from",
    "order_number",
    "reference",
    "cost_centre",
    "description",
    "documents_only",
    "terms",
    "reason_for_export",
    "customs_description",
    "customs_hs_code",
    "customs_origin",
    "customs_quantity",
    "customs_value",
    "customs_sku",
)

# What tells who a recipient is and where: no error repeats it, for errors are told to whoever watches, and kept.
PERSONAL = frozenset({"recipient_name", "company", "phone", "email", "address_1", "address_2", "address_3"})

# What one parcel is told by: an order's, or with `packages: rows` each row's own.
PACKAGE_FIELDS = ("packages", "weight", "length", "width", "height", "declared_value")
# What one line for customs is told by: an order's first, a numbered one's, or with `customs: rows` each row's own.
CUSTOMS_LINE = (
    "customs_description",
    "customs_hs_code",
    "customs_origin",
    "customs_quantity",
    "customs_value",
    "customs_sku",
)
MOST_NUMBERED = 20


def numbered(field: str, number: int) -> str:
    """The name of a customs line's field: the field's own for the first line, with its number for every other."""
    return field if number == 1 else f"{field}_{number}"


NUMBERED = tuple(numbered(field, number) for number in range(2, MOST_NUMBERED + 1) for field in CUSTOMS_LINE)
# Every field's place, in which order a row's problems are listed.
PLACES: Mapping[str, int] = {field: place for place, field in enumerate((*FIELDS, *NUMBERED))}

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
    "reference": 35,
    "cost_centre": 35,
    "description": 50,
    "reason_for_export": 20,
    "customs_description": 105,
    "customs_sku": 35,
}
# The same with the numbered fields.
LIMITS: Mapping[str, int] = {
    numbered(field, number): limit
    for field, limit in TEXT_LIMITS.items()
    for number in range(1, MOST_NUMBERED + 1 if field in CUSTOMS_LINE else 2)
}


class Fields(NamedTuple):
    """One row's fields as text, those left out that are blank in every row, and the problems met on the way.

    Of an order of several rows, `packages` and `lines` are the rows that are a parcel or a line for customs each, with
    their numbers in the source; without any the fields themselves tell of both.
    """

    texts: Mapping[str, str]
    problems: Mapping[str, ErrorBody] = MappingProxyType({})
    packages: tuple[tuple[int, Fields], ...] = ()
    lines: tuple[tuple[int, Fields], ...] = ()
