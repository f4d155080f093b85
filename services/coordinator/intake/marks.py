"""Marks by which orders are recognised that look like one another, whichever source and row they come from. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.coordinator.mapping.fingerprint import address_and_contents
from shared.shipping import Shipment

_LENGTH = 32


@dataclass(frozen=True)
class Marks:
    """Hashes of 32 hex digits: of the order number ('' without one), and of address and contents."""

    order: str = ""
    contents: str = ""


NO_MARKS = Marks()


def marks_of(shipment: Shipment) -> Marks:
    """A shipment's marks; neither tells upper from lower case."""
    number = shipment.order_number.casefold()
    order = hashlib.sha256(number.encode()).hexdigest()[:_LENGTH] if number else ""
    return Marks(order=order, contents=address_and_contents(shipment)[:_LENGTH])
