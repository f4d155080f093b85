"""Void: gives back a shipment, or some of its packages."""

from __future__ import annotations

import json

from services.sandbox.calls import Call, Sandbox
from services.sandbox.ledger import Ledger
from services.sandbox.replies import RefusedError, succeeded
from services.sandbox.wire import Json

_VOIDED: Json = {"Code": "1", "Description": "Voided"}


async def void(sandbox: Sandbox, call: Call) -> Json:
    """Void what is named; raises RefusedError 190102 (unknown) or 190117 (nothing left to void)."""
    shipment_id = call.path["shipment_id"]
    found = [
        sold
        for sold in await sandbox.ledger.run(Ledger.by_tracking_number, shipment_id)
        if sold.shipment_id == shipment_id
    ]
    named = _tracking_numbers(call.query.get("trackingnumber", ""))
    if not found or not named <= {parcel.tracking_number for parcel in found[0].parcels}:
        raise RefusedError("190102", "No shipment found within the allowed void period")
    wanted = [parcel for parcel in found[0].parcels if not named or parcel.tracking_number in named]
    numbers = frozenset(parcel.tracking_number for parcel in wanted if parcel.voided_at is None)
    if not numbers:
        raise RefusedError("190117", "The shipment has already been voided.")
    sold = await sandbox.ledger.run(Ledger.void, shipment_id, numbers, sandbox.clock())
    response: Json = {"Response": succeeded(None), "SummaryResult": {"Status": _VOIDED}}
    if named:
        response["PackageLevelResult"] = [
            {"TrackingNumber": parcel.tracking_number, "Status": _VOIDED}
            for parcel in sold.parcels
            if parcel.tracking_number in numbers
        ]
    return {"VoidShipmentResponse": response}


def _tracking_numbers(written: str) -> set[str]:
    """The packages named: one number, or a JSON list of them."""
    if not written.startswith("["):
        return {written} - {""}
    try:
        numbers = json.loads(written)
    except ValueError as error:
        raise RefusedError("190102", "The tracking numbers are invalid") from error
    return {str(number) for number in numbers}
