"""A shipment as a person reads it; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import RenderableType
from rich.text import Text

from services.cli.rendering.jobs import facts
from services.cli.rendering.wording import money, service_name
from shared.shipping import Package, Shipment, Signature


def shipment_facts(shipment: Shipment) -> RenderableType:
    """What is shipped, to whom and how, a line for each thing that there is to say."""
    grid = facts()
    for name, text in _lines(shipment):
        if text:
            grid.add_row(f"  {name}", Text(text))
    return grid


def _lines(shipment: Shipment) -> Iterator[tuple[str, str]]:
    recipient = shipment.recipient
    address = recipient.address
    yield "Order", shipment.order_number
    yield "Reference", shipment.reference
    yield "Cost centre", shipment.cost_centre
    yield "Recipient", recipient.name
    yield "Company", recipient.company
    yield "Address", ", ".join(address.lines)
    yield "City", " ".join(filter(None, (address.city, address.state, address.postal_code)))
    yield "Country", address.country
    yield "Phone", recipient.phone
    yield "E-mail", recipient.email
    if shipment.shipper is not None:
        yield "Ship from", f"{shipment.ship_from.name}, {shipment.ship_from.address.city}"
    yield "Service", service_name(shipment.service) + (", on Saturday" if shipment.saturday_delivery else "")
    if shipment.signature is not Signature.NONE:
        yield "Signature", shipment.signature.value
    for package, alike in groupby(shipment.packages):
        yield from _package(package, len(list(alike)), len(shipment.packages))
    yield "Description", shipment.description
    yield from _customs(shipment)


def _package(package: Package, count: int, total: int) -> Iterator[tuple[str, str]]:
    number = f"{count} x " if total > 1 else ""
    yield "Weight", f"{number}{package.weight} lb"
    if package.dimensions is not None:
        box = package.dimensions
        yield "Size", f"{box.length} x {box.width} x {box.height} in"
    if package.declared_value is not None:
        yield "Declared", money(package.declared_value)


def _customs(shipment: Shipment) -> Iterator[tuple[str, str]]:
    if shipment.documents_only:
        yield "Customs", "documents only"
    if shipment.customs is None:
        return
    for line in shipment.customs.lines:
        code = f", HS {line.hs_code}" if line.hs_code else ""
        each = f"{line.unit_value} {shipment.customs.currency} each"
        yield "Customs", f"{line.quantity} x {line.description}, {each}, made in {line.origin}{code}"
    terms = f", {shipment.customs.terms}" if shipment.customs.terms else ""
    yield "Value", f"{money(shipment.customs.total)}, {shipment.customs.reason.lower()}{terms}"
