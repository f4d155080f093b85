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
    # What few orders have is not added for one that has it not, so that its fingerprint stays as it was.
    reference = [("reference", shipment.reference)] if shipment.reference else []
    return _hashed((_VERSION, shipment.order_number, *_who_and_what(shipment), *reference, *_goods(shipment)))


def address_and_contents(shipment: Shipment) -> str:
    """The same without the order's own words, order number and reference: whoever is sent the same has the same."""
    return _hashed((_VERSION, *_who_and_what(shipment), *_goods(shipment)))


def _hashed(content: tuple[object, ...]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).casefold().encode()).hexdigest()


def _who_and_what(shipment: Shipment) -> Iterator[object]:
    recipient = shipment.recipient
    address = recipient.address
    yield shipment.description
    yield recipient.name
    yield recipient.company
    yield address.lines
    yield address.city
    yield address.state
    yield address.postal_code
    yield address.country
    yield tuple(_package(package) for package in shipment.packages)


def _goods(shipment: Shipment) -> Iterator[tuple[object, ...]]:
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
