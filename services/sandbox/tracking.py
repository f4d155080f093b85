"""Track by reference: the packages that carry a reference, within a window of pick-up dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from services.sandbox.calls import Call, Sandbox
from services.sandbox.ledger import Ledger, SoldParcel, SoldShipment
from services.sandbox.rates import SERVICES
from services.sandbox.replies import RefusedError
from services.sandbox.wire import Json

_DEFAULT_WINDOW = timedelta(days=14)
_CREATED = {
    "type": "M",
    "code": "MP",
    "statusCode": "003",
    "description": "Shipper created a label, UPS has not received the package yet.",
}
_VOIDED = {"type": "MV", "code": "VP", "statusCode": "013", "description": "Billing Information Voided"}


async def track_reference(sandbox: Sandbox, call: Call) -> Json:
    """What carries the reference; warning TW0001 where nothing does.

    The window's dates are UTC dates of sale, both included; it defaults to the last 14 days. Raises RefusedError
    without header `transId` or `transactionSrc`, or for a date that is none.
    """
    for header in ("transId", "transactionSrc"):
        if not call.headers.get(header):
            raise RefusedError("VSS002" if header == "transId" else "VSS003", f"Missing {header}.")
    now = sandbox.clock()
    first = _date(call.query.get("fromPickUpDate", "")) or now.date() - _DEFAULT_WINDOW
    last = _date(call.query.get("toPickUpDate", "")) or now.date()
    shipper_number = call.query.get("shipperNum", "").upper()
    reference = call.path["reference"]
    shipments = [
        _tracked(reference, sold)
        for sold in await sandbox.ledger.run(Ledger.by_reference, reference)
        if sold.visible_at <= now
        and first <= sold.created_at.date() <= last
        and shipper_number in {"", sold.shipper_number}
    ]
    return {"trackResponse": {"shipment": shipments or [_nothing(reference)]}}


def _date(written: str) -> date | None:
    if not written:
        return None
    try:
        return datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 - a date as the caller's calendar has it
    except ValueError as error:
        raise RefusedError("10002", "The pick-up date is invalid") from error


def _nothing(reference: str) -> Json:
    return {
        "inquiryNumber": reference,
        "warnings": [{"code": "TW0001", "message": "Tracking Information Not Found"}],
    }


def _tracked(reference: str, sold: SoldShipment) -> Json:
    return {"inquiryNumber": reference, "package": [_package(sold, parcel) for parcel in sold.parcels]}


def _package(sold: SoldShipment, parcel: SoldParcel) -> Json:
    address = {
        "city": sold.recipient_city,
        "stateProvince": sold.recipient_state,
        "postalCode": sold.recipient_postal_code,
        "countryCode": sold.recipient_country,
    }
    return {
        "trackingNumber": parcel.tracking_number,
        "currentStatus": _CREATED if parcel.voided_at is None else _VOIDED,
        "packageAddress": [{"type": "DESTINATION", "address": address}],
        "weight": {"unitOfMeasurement": "LBS", "weight": f"{parcel.weight:.1f}"},
        "service": {"code": sold.service, "description": SERVICES[sold.service].name},
        "referenceNumber": [{"type": "PACKAGE", "number": number} for number in sold.references],
        "packageCount": len(sold.parcels),
    }
