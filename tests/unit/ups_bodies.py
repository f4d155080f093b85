"""Shipments, and bodies as UPS writes them, for the tests of the UPS client."""

from __future__ import annotations

import base64
import json
from typing import Any

from shared.shipping import Address, Contact, Package, ServiceLevel, Shipment

ACCOUNT = "A1B2C3"
REFERENCE = "TLY7Q2M000000001"
TRACKING_NUMBER = "1ZA1B2C30300000017"
SECOND_NUMBER = "1ZA1B2C30300000026"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
PUBLISHED = {"CurrencyCode": "USD", "MonetaryValue": "14.20"}
NEGOTIATED = {"CurrencyCode": "USD", "MonetaryValue": "9.87"}
SUCCESS = {"ResponseStatus": {"Code": "1", "Description": "Success"}}

WAREHOUSE = Contact(
    name="Ada Byron",
    company="Byron Goods",
    phone="+1 512-555-0100",
    address=Address(lines=("100 Congress Ave",), city="Austin", state="TX", postal_code="78701"),
)


def contact(**changes: Any) -> Contact:
    """A recipient in Massachusetts; `changes` are fields of the contact or of its address."""
    of_address = {name: changes.pop(name) for name in list(changes) if name in Address.model_fields}
    address = {"lines": ("7 Alder Court", "Apt 4"), "city": "Agawam", "state": "MA", "postal_code": "01001-2345"}
    return Contact(**{"name": "Zoë Müller", "phone": "413.555.0101", "address": address | of_address} | changes)


def shipment(**changes: Any) -> Shipment:
    """One parcel of 12.5 lb to Massachusetts by Ground."""
    fields: dict[str, Any] = {
        "ship_from": WAREHOUSE,
        "recipient": contact(),
        "packages": (Package.model_validate({"weight": "12.5"}),),
        "service": ServiceLevel.GROUND,
        "order_number": "SO-1001",
    }
    return Shipment(**fields | changes)


def encoded(document: object) -> bytes:
    """`document` as JSON."""
    return json.dumps(document).encode()


def error_body(*errors: tuple[str, str]) -> bytes:
    """UPS's error envelope."""
    return encoded({"response": {"errors": [{"code": code, "message": message} for code, message in errors]}})


def void_body(code: str = "1", *parcels: str, key: str = "PackageLevelResult") -> bytes:
    """A void answer; `parcels` are the result codes of its parcels."""
    results = [{"TrackingNumber": TRACKING_NUMBER, "Status": {"Code": parcel}} for parcel in parcels]
    summary = {"Status": {"Code": code, "Description": "Voided" if code == "1" else "Not voided"}}
    levels = {key: results[0] if len(results) == 1 else results} if results else {}
    return encoded({"VoidShipmentResponse": {"Response": SUCCESS, "SummaryResult": summary, **levels}})


def package_result(number: str = TRACKING_NUMBER, image: bytes = GIF) -> dict[str, Any]:
    """One parcel of a ship answer."""
    return {
        "TrackingNumber": number,
        "ShippingLabel": {"ImageFormat": {"Code": "GIF"}, "GraphicImage": base64.b64encode(image).decode()},
    }


def ship_results(**changes: Any) -> dict[str, Any]:
    """`ShipmentResults` of a sold shipment of one parcel; a change to None removes the element."""
    results = {
        "ShipmentCharges": {"TotalCharges": PUBLISHED},
        "NegotiatedRateCharges": {"TotalCharge": NEGOTIATED},
        "ShipmentIdentificationNumber": TRACKING_NUMBER,
        "PackageResults": [package_result()],
    } | changes
    return {name: value for name, value in results.items() if value is not None}


def ship_body(*, response: object = SUCCESS, **changes: Any) -> bytes:
    """A ship answer."""
    return encoded({"ShipmentResponse": {"Response": response, "ShipmentResults": ship_results(**changes)}})


def rate_body(*rated: dict[str, Any]) -> bytes:
    """A Rating answer with the given `RatedShipment`s; by default one of Ground."""
    ground = {
        "Service": {"Code": "03"},
        "TotalCharges": PUBLISHED,
        "NegotiatedRateCharges": {"TotalCharge": NEGOTIATED},
    }
    return encoded({"RateResponse": {"Response": SUCCESS, "RatedShipment": list(rated) or [ground]}})


def recovery_body(*numbers: str, candidates: tuple[str, ...] = ()) -> bytes:
    """A Label Recovery answer with one label per number."""
    results = [
        {
            "TrackingNumber": number,
            "LabelImage": {"LabelImageFormat": {"Code": "GIF"}, "GraphicImage": base64.b64encode(GIF).decode()},
        }
        for number in numbers
    ]
    response: dict[str, Any] = {"Response": SUCCESS, "LabelResults": results}
    if numbers:
        response["ShipmentIdentificationNumber"] = numbers[0]
    if candidates:
        response["TrackingCandidate"] = [{"TrackingNumber": number} for number in candidates]
    return encoded({"LabelRecoveryResponse": response})


def parcel(number: str, reference: str = REFERENCE, **status: str) -> dict[str, Any]:
    """One parcel of a Track answer."""
    return {
        "trackingNumber": number,
        "referenceNumber": [{"type": "PACKAGE", "number": reference}, {"type": "PACKAGE", "number": "SO-1001"}],
        "currentStatus": status or {"code": "003", "type": "M", "description": "Shipper created a label"},
    }


def track_body(*shipments: list[dict[str, Any]]) -> bytes:
    """A Track answer with the given parcels, shipment by shipment; none is UPS's 200 that found nothing."""
    found: list[dict[str, Any]] = [{"inquiryNumber": REFERENCE, "package": parcels} for parcels in shipments]
    nothing = {
        "inquiryNumber": REFERENCE,
        "warnings": [{"code": "TW0001", "message": "Tracking Information Not Found"}],
    }
    return encoded({"trackResponse": {"shipment": found or [nothing]}})
