"""Shipments as UPS wants to be asked about them: the calls to Shipping, Void, Label Recovery and Track.

Field names, lengths and places are those of UPS's OpenAPI (Shipping and Void v2409, Label Recovery v1, Track v1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Any, Literal
from urllib.parse import quote, urlencode

from services.shipper.carriers.carrier import DateWindow
from services.shipper.carriers.ups.options import (
    documents_only,
    goods_description,
    invoice_total,
    package_options,
    shipment_options,
)
from services.shipper.carriers.ups.parties import address, party
from services.shipper.carriers.ups.services import code_of
from shared.contracts.calls import CallKind
from shared.shipping import Contact, Dimensions, Package, Shipment, country_of

Json = dict[str, Any]
ImageFormat = Literal["GIF", "ZPL", "EPL"]

SHIP_PATH = "/api/shipments/v2409/ship"
VOID_PATH = "/api/shipments/v2409/void/cancel/"
RECOVERY_PATH = "/api/labels/v1/recovery"
TRACK_PATH = "/api/track/v1/reference/details/"

_LONGEST_TRANS_ID = 32
_LONGEST_NUMBER = 5
_LARGEST_NUMBER = 10**_LONGEST_NUMBER
# Where UPS takes references per package, and refuses them per shipment (120541, 120542).
_PACKAGE_REFERENCE_LANES = {("US", "US"), ("PR", "PR")}


@dataclass(frozen=True)
class Call:
    """One call of a UPS API; `target` is its path and query.

    `repeatable` says that sending it twice does no harm, `bulk` that many are made at once and others go before them,
    `aside` that it takes no place of theirs. `kind` is what the audit trail calls it; one without is not told there.
    """

    operation: str
    method: Literal["GET", "POST", "DELETE"]
    target: str
    trans_id: str
    body: bytes = b""
    repeatable: bool = True
    bulk: bool = False
    aside: bool = False
    kind: CallKind | None = None


def ship_call(shipment: Shipment, reference: str, account: str, image_format: ImageFormat, today: date) -> Call:
    """Buy `shipment` under `reference`; never to be repeated without knowing that nothing was created.

    `today` is the date of the commercial invoice that UPS makes of a shipment with customs.
    """
    references = _references(reference, shipment.own_reference)
    per_package = _lane(shipment) in _PACKAGE_REFERENCE_LANES
    description = goods_description(shipment)
    body: Json = {
        "ShipmentRequest": {
            "Request": {"RequestOption": "nonvalidate", "SubVersion": "2205", **context(reference)},
            "Shipment": {
                **({"Description": description} if description else {}),
                **documents_only(shipment),
                "Shipper": {**party(shipment.shipper or shipment.ship_from), "ShipperNumber": account},
                "ShipTo": party(shipment.recipient),
                **({"ShipFrom": party(shipment.ship_from)} if shipment.shipper else {}),
                "PaymentInformation": billed_to(account),
                "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
                **({} if per_package else {"ReferenceNumber": references}),
                **invoice_total(shipment),
                **shipment_options(shipment, reference, today),
                "Service": {"Code": code_of(shipment.service)},
                "Package": [
                    {
                        **({"Description": package.description} if package.description else {}),
                        "Packaging": {"Code": "02"},
                        **measures(package),
                        **package_options(shipment, package),
                        **({"ReferenceNumber": references} if per_package else {}),
                    }
                    for package in shipment.packages
                ],
            },
            "LabelSpecification": _label_specification(image_format),
        }
    }
    return Call("Shipping", "POST", SHIP_PATH, trans_id(reference), encoded(body), repeatable=False, kind="ship")


def recovery_by_reference_call(reference: str, account: str, image_format: ImageFormat) -> Call:
    """The labels of what was bought under `reference`."""
    asked = {"ReferenceValues": {"ReferenceNumber": {"Value": reference}, "ShipperNumber": account}}
    return _recovery_call(asked, reference, image_format, "recover")


def recovery_call(tracking_number: str, image_format: ImageFormat) -> Call:
    """The label of one parcel."""
    return _recovery_call({"TrackingNumber": tracking_number}, tracking_number, image_format, "label")


def track_call(reference: str, window: DateWindow, account: str) -> Call:
    """The parcels bought under `reference` with a pick-up date in `window` (UPS's default is the last 14 days)."""
    query = urlencode(
        {
            "locale": "en_US",
            "fromPickUpDate": f"{window.first:%Y%m%d}",
            "toPickUpDate": f"{window.last:%Y%m%d}",
            "shipperNum": account,
            "refNumType": "SmallPackage",
        }
    )
    target = f"{TRACK_PATH}{quote(reference, safe='')}?{query}"
    return Call("Track", "GET", target, trans_id(reference), kind="track")


def void_call(shipment_id: str) -> Call:
    """Give a shipment back with all its parcels; a second call is answered with 190117."""
    return Call("Void", "DELETE", f"{VOID_PATH}{quote(shipment_id, safe='')}", trans_id(shipment_id), kind="void")


def trans_id(name: str) -> str:
    """`name` as UPS's `transId`: its letters and digits, the last 32 of them, which tell rows apart."""
    return "".join(char for char in name if char.isascii() and char.isalnum())[-_LONGEST_TRANS_ID:]


def number(value: Decimal) -> str:
    """A weight or length in at most five characters, rounded up where it needs more: never less than the parcel.

    What is too large for five characters is written whole, for UPS to refuse.
    """
    for places in (3, 2, 1):
        if value < _LARGEST_NUMBER:
            written = f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_UP):f}".rstrip("0").rstrip(".")
            if len(written) <= _LONGEST_NUMBER:
                return written
    return f"{value.to_integral_value(rounding=ROUND_UP):f}"


def _recovery_call(asked: Json, name: str, image_format: ImageFormat, kind: CallKind) -> Call:
    body: Json = {
        "LabelRecoveryRequest": {
            "Request": {"SubVersion": "1903", **context(name)},
            "LabelSpecification": _label_specification(image_format),
            **asked,
        }
    }
    return Call("Label Recovery", "POST", RECOVERY_PATH, trans_id(name), encoded(body), kind=kind)


def encoded(body: Json) -> bytes:
    """A body as compact JSON."""
    return json.dumps(body, separators=(",", ":")).encode()


def context(name: str) -> Json:
    """What UPS sends back with its answer and prints in its logs."""
    return {"TransactionReference": {"CustomerContext": name}} if name else {}


def _references(reference: str, own: str) -> list[Json]:
    return [{"Value": value} for value in dict.fromkeys((reference, own)) if value]


def billed_to(account: str) -> Json:
    """The account that pays."""
    return {"ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": account}}]}


def _label_specification(image_format: ImageFormat) -> Json:
    return {
        "LabelImageFormat": {"Code": image_format},
        **({"HTTPUserAgent": "Mozilla/4.5"} if image_format == "GIF" else {}),
        "LabelStockSize": {"Height": "6", "Width": "4"},
    }


def _lane(shipment: Shipment) -> tuple[str, str]:
    return country_of(shipment.ship_from.address), country_of(shipment.recipient.address)


def place(contact: Contact) -> Json:
    """A party as far as a price depends on it."""
    return {"Name": contact.company or contact.name, "Address": address(contact.address)}


def measures(package: Package) -> Json:
    """A package's size and weight."""
    return {
        **({"Dimensions": _dimensions(package.dimensions)} if package.dimensions else {}),
        "PackageWeight": {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": number(package.weight)},
    }


def _dimensions(box: Dimensions) -> Json:
    return {
        "UnitOfMeasurement": {"Code": "IN"},
        "Length": number(box.length),
        "Width": number(box.width),
        "Height": number(box.height),
    }
