"""A shipment's content fingerprint: what recognises the same order in an earlier job (DESIGN §4, reservation)."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

from shared.shipping import Package, Shipment

_VERSION = "1"


class Prints(NamedTuple):
    """A shipment's two fingerprints, each a SHA-256 in hex (see `content_fingerprint`, `address_and_contents`)."""

    content: str
    address_and_contents: str


def content_fingerprint(shipment: Shipment) -> str:
    """A SHA-256 in hex of what is shipped and to whom.

    It covers the order number, the reference, the description, the packages, the goods that customs is told of, and the
    recipient's name, company and address, whatever their case. It leaves out how the shipment travels, what it is
    insured for, how its goods are classified and who is told or pays (ship-from, service, signature, declared value, HS
    codes, residential flag, phone, e-mail, cost centre): the same order sent another way is still the same order.
    """
    return prints_of(shipment).content


def address_and_contents(shipment: Shipment) -> str:
    """The same without the order's own words, order number and reference: whoever is sent the same has the same."""
    return prints_of(shipment).address_and_contents


def prints_of(shipment: Shipment) -> Prints:
    """Both fingerprints, for little more than the cost of one.

    What is hashed is a JSON list. It is put together here, for an encoder costs several times as much for each row.
    """
    who_and_what, goods = _who_and_what(shipment).casefold(), _goods(shipment).casefold()
    number = quoted(shipment.order_number).casefold()
    # What few orders have is not added for one that has it not, so that its fingerprint stays as it was.
    reference = f', ["reference", {quoted(shipment.reference).casefold()}]' if shipment.reference else ""
    return Prints(
        _hashed(f'["{_VERSION}", {number}, {who_and_what}{reference}{goods}]'),
        _hashed(f'["{_VERSION}", {who_and_what}{goods}]'),
    )


def _hashed(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _who_and_what(shipment: Shipment) -> str:
    recipient = shipment.recipient
    address = recipient.address
    lines = ", ".join(map(quoted, address.lines))
    packages = ", ".join(map(_package, shipment.packages))
    return (
        f"{quoted(shipment.description)}, {quoted(recipient.name)}, {quoted(recipient.company)}, [{lines}],"
        f" {quoted(address.city)}, {quoted(address.state)}, {quoted(address.postal_code)}, {quoted(address.country)},"
        f" [{packages}]"
    )


def _goods(shipment: Shipment) -> str:
    if shipment.customs is None:
        return ""
    lines = shipment.customs.lines
    goods = [(line.description, line.quantity, _number(line.unit_value), line.sku) for line in lines]
    return ", " + json.dumps(("customs", shipment.customs.currency, goods), ensure_ascii=False)


def _package(package: Package) -> str:
    box = package.dimensions
    sides = f'"{_number(box.length)}", "{_number(box.width)}", "{_number(box.height)}"' if box else ""
    return f'["{_number(package.weight)}", [{sides}], {quoted(package.description)}]'


@lru_cache(maxsize=4096)
def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")
