"""Marks by which orders are recognised that look like one another, whichever source and row they come from. Pure."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from services.coordinator.mapping.fingerprint import address_and_contents
from shared.shipping import Shipment

_LENGTH = 32


class Marks(NamedTuple):
    """Hashes of 32 hex digits: of the order number ('' without one), and of address and contents."""

    order: str = ""
    contents: str = ""


NO_MARKS = Marks()


def marks_of(shipment: Shipment) -> Marks:
    """A shipment's marks; neither tells upper from lower case."""
    return marks_by(shipment.order_number, address_and_contents(shipment))


def marks_by(order_number: str, address_and_contents: str) -> Marks:
    """The marks of a shipment with this order number, and this fingerprint of address and contents."""
    order = hashlib.sha256(order_number.casefold().encode()).hexdigest()[:_LENGTH] if order_number else ""
    return Marks(order, address_and_contents[:_LENGTH])
