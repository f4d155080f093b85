"""A shipment's content fingerprint: what recognises the same order in an earlier job (DESIGN §4, reservation)."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from shared.shipping import Package, Shipment

_VERSION = "1"


def content_fingerprint(shipment: Shipment) -> str:
    """A SHA-256 in hex of what is shipped and to whom.

    It covers the order number, the description, the packages, and the recipient's name, company and address, whatever
    their case. It leaves out how the shipment travels and who is told (ship-from, service, residential flag, phone,
    e-mail): the same order sent another way is still the same order.
    """
    recipient = shipment.recipient
    address = recipient.address
    content = (
        _VERSION,
        shipment.order_number,
        shipment.description,
        recipient.name,
        recipient.company,
        address.lines,
        address.city,
        address.state,
        address.postal_code,
        address.country,
        tuple(_package(package) for package in shipment.packages),
    )
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).casefold().encode()).hexdigest()


def _package(package: Package) -> tuple[object, ...]:
    box = package.dimensions
    sides = (_number(box.length), _number(box.width), _number(box.height)) if box else ()
    return (_number(package.weight), sides, package.description)


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")
