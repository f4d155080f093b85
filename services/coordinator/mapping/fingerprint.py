"""A shipment's content fingerprint: what recognises the same order in an earlier job (DESIGN §4, reservation)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from decimal import Decimal

from shared.shipping import Package, Shipment

_VERSION = "1"


def content_fingerprint(shipment: Shipment) -> str:
    """A SHA-256 in hex of what is shipped and to whom.

    It covers the order number, the reference, the description, the packages, the goods that customs is told of, and the
    recipient's name, company and address, whatever their case. It leaves out how the shipment travels, what it is
    insured for, how its goods are classified and who is told or pays (ship-from, service, signature, declared value, HS
    codes, residential flag, phone, e-mail, cost centre): the same order sent another way is still the same order.
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
        *_further(shipment),
    )
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).casefold().encode()).hexdigest()


def _further(shipment: Shipment) -> Iterator[tuple[object, ...]]:
    """What few orders have: nothing is added for one that has it not, so that its fingerprint stays as it was."""
    if shipment.reference:
        yield "reference", shipment.reference
    if shipment.customs is not None:
        lines = shipment.customs.lines
        goods = [(line.description, line.quantity, _number(line.unit_value), line.sku) for line in lines]
        yield "customs", shipment.customs.currency, goods


def _package(package: Package) -> tuple[object, ...]:
    box = package.dimensions
    sides = (_number(box.length), _number(box.width), _number(box.height)) if box else ()
    return (_number(package.weight), sides, package.description)


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")
