"""Label Recovery: the labels of a shipment, by tracking number or by reference."""

from __future__ import annotations

from datetime import datetime

from services.sandbox import labels
from services.sandbox.calls import Call, Sandbox
from services.sandbox.ledger import Ledger, SoldShipment
from services.sandbox.replies import RefusedError, succeeded
from services.sandbox.wire import Json, branch, text

_DEFAULT_FORMAT = "GIF"


async def recover(sandbox: Sandbox, call: Call) -> Json:
    """Draw the labels again.

    Raises RefusedError 300007 (none found), 300033 (voided), 300034 (not processed yet) or 300035 (several).
    """
    request = branch(call.body, "LabelRecoveryRequest")
    tracking_number = text(request, "TrackingNumber")
    if tracking_number:
        found = await sandbox.ledger.run(Ledger.by_tracking_number, tracking_number)
    else:
        found = await _by_reference(sandbox, request)
    sold = the_one(found, sandbox.clock())
    live = [parcel for parcel in sold.parcels if parcel.voided_at is None]
    wanted = [parcel for parcel in live if tracking_number in {"", parcel.tracking_number}]
    if not wanted:
        raise RefusedError("300033", "The package has been voided")
    label_format = text(request, "LabelSpecification", "LabelImageFormat", "Code").upper() or _DEFAULT_FORMAT
    return {
        "LabelRecoveryResponse": {
            "Response": succeeded(branch(request, "Request")),
            "ShipmentIdentificationNumber": sold.shipment_id,
            "LabelResults": [
                {
                    "TrackingNumber": parcel.tracking_number,
                    "LabelImage": {
                        "LabelImageFormat": {"Code": label_format},
                        "GraphicImage": labels.drawn(label_format, parcel.tracking_number, sold.recipient_postal_code),
                    },
                }
                for parcel in wanted
            ],
        }
    }


async def _by_reference(sandbox: Sandbox, request: object) -> list[SoldShipment]:
    values = branch(request, "ReferenceValues")
    reference, shipper_number = text(values, "ReferenceNumber", "Value"), text(values, "ShipperNumber").upper()
    if not reference:
        raise RefusedError("10002", "A tracking number or a reference number is required")
    found = await sandbox.ledger.run(Ledger.by_reference, reference)
    return [sold for sold in found if shipper_number in {"", sold.shipper_number}]


def the_one(found: list[SoldShipment], now: datetime) -> SoldShipment:
    """The one live shipment among those found; raises RefusedError where there is none, or more than one."""
    visible = [sold for sold in found if sold.visible_at <= now]
    live = [sold for sold in visible if not sold.voided]
    if len(live) == 1:
        return live[0]
    if live:
        raise RefusedError("300035", "Multiple shipments were found; narrow the search")
    if visible:
        raise RefusedError("300033", "The shipment has been voided")
    if any(sold.early_answer == "not_processed" for sold in found):
        raise RefusedError("300034", "The shipment has not been processed yet; try again later")
    raise RefusedError("300007", "No shipment was found for the search criteria, or it is not processed yet")
