"""What a shipment asks of UPS besides being carried: signature, Saturday, declared value, customs' papers.

Elements are those of UPS's OpenAPI (Shipping v2409, Rating v2409).
"""

from __future__ import annotations

import textwrap
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Any

from services.shipper.carriers.ups.parties import party
from shared.shipping import Customs, CustomsLine, Money, Package, Shipment, Signature, country_of
from shared.shipping.lane import UNITED_STATES

Json = dict[str, Any]

_DESCRIPTION_LENGTH = 50
_LINE_LENGTH = 35
_LINES = 3
_COMMERCIAL_INVOICE = "01"
_PIECES = "PCS"
# Within the US and Puerto Rico UPS takes a signature per package (type 2 and 3), elsewhere per shipment (1 and 2).
_PER_PACKAGE = {Signature.DIRECT: "2", Signature.ADULT: "3"}
_PER_SHIPMENT = {Signature.DIRECT: "1", Signature.ADULT: "2"}
# Where UPS wants the value of the goods beside the invoice: from the US, and nowhere else.
_WANT_INVOICE_TOTAL = {"CA", "PR"}


def goods_description(shipment: Shipment) -> str:
    """What is in it, at most 50 characters; abroad, where UPS wants one, from the goods that customs is told of."""
    if shipment.description or not shipment.is_international:
        return shipment.description
    goods = "Documents" if shipment.customs is None else ", ".join(line.description for line in shipment.customs.lines)
    return goods[:_DESCRIPTION_LENGTH].rstrip(", ")


def documents_only(shipment: Shipment) -> Json:
    """The mark of papers without a value."""
    return {"DocumentsOnlyIndicator": ""} if shipment.documents_only else {}


def invoice_total(shipment: Shipment) -> Json:
    """What the goods are worth in whole units, rounded up, on the lanes where UPS wants it."""
    lane = country_of(shipment.ship_from.address), country_of(shipment.recipient.address)
    value = _value(shipment)
    if lane[0] != "US" or lane[1] not in _WANT_INVOICE_TOTAL or value is None:
        return {}
    amount = value.amount.to_integral_value(rounding=ROUND_CEILING)
    return {"InvoiceLineTotal": {"CurrencyCode": value.currency, "MonetaryValue": f"{amount:f}"}}


def package_options(shipment: Shipment, package: Package) -> Json:
    """A package's declared value, and its signature where that is asked for per package."""
    options: Json = {}
    if package.declared_value is not None:
        options["DeclaredValue"] = _money(package.declared_value)
    if _signs_per_package(shipment) and shipment.signature in _PER_PACKAGE:
        options["DeliveryConfirmation"] = {"DCISType": _PER_PACKAGE[shipment.signature]}
    return {"PackageServiceOptions": options} if options else {}


def shipment_options(shipment: Shipment, reference: str = "", today: date | None = None) -> Json:
    """Saturday, a signature asked for per shipment, and with a date the papers for customs: Rating wants none."""
    options: Json = {}
    if shipment.saturday_delivery:
        options["SaturdayDeliveryIndicator"] = ""
    if not _signs_per_package(shipment) and shipment.signature in _PER_SHIPMENT:
        options["DeliveryConfirmation"] = {"DCISType": _PER_SHIPMENT[shipment.signature]}
    if shipment.customs is not None and today is not None:
        options["InternationalForms"] = _invoice(shipment, shipment.customs, reference, today)
    return {"ShipmentServiceOptions": options} if options else {}


def _signs_per_package(shipment: Shipment) -> bool:
    return {country_of(shipment.ship_from.address), country_of(shipment.recipient.address)} <= UNITED_STATES


def _value(shipment: Shipment) -> Money | None:
    if shipment.customs is not None:
        return shipment.customs.total
    declared = [package.declared_value for package in shipment.packages if package.declared_value is not None]
    return Money.total(declared) if declared else None


def _invoice(shipment: Shipment, customs: Customs, reference: str, today: date) -> Json:
    return {
        "FormType": _COMMERCIAL_INVOICE,
        "InvoiceNumber": shipment.order_number or reference,
        "InvoiceDate": f"{today:%Y%m%d}",
        **({"PurchaseOrderNumber": shipment.reference} if shipment.reference else {}),
        **({"TermsOfShipment": customs.terms.value} if customs.terms else {}),
        "ReasonForExport": customs.reason,
        "CurrencyCode": customs.currency,
        "Contacts": {"SoldTo": party(shipment.recipient)},
        "Product": [_product(line) for line in customs.lines],
    }


def _product(line: CustomsLine) -> Json:
    return {
        "Description": _in_lines(line.description),
        "Unit": {
            "Number": str(line.quantity),
            "UnitOfMeasurement": {"Code": _PIECES},
            "Value": _plain(line.unit_value),
        },
        **({"CommodityCode": line.hs_code} if line.hs_code else {}),
        **({"PartNumber": line.sku} if line.sku else {}),
        "OriginCountryCode": line.origin,
    }


def _in_lines(text: str) -> list[str]:
    """At most three lines of 35 characters: broken between words where they fit so, else wherever a line is full."""
    lines = textwrap.wrap(text, _LINE_LENGTH)
    if len(lines) > _LINES:
        lines = [text[start : start + _LINE_LENGTH] for start in range(0, len(text), _LINE_LENGTH)]
    return lines


def _money(value: Money) -> Json:
    return {"CurrencyCode": value.currency, "MonetaryValue": f"{value.amount:.2f}"}


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
