"""Shipping: sells a shipment and draws its labels. Like UPS it never deduplicates."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from services.sandbox import bill, labels
from services.sandbox.calls import Call, Sandbox
from services.sandbox.consignment import SHIPPING, Consignment, read
from services.sandbox.faults import DelayVisibility
from services.sandbox.invoice import Invoice, drawn_invoice
from services.sandbox.ledger import Ledger, Sale, SoldShipment
from services.sandbox.rates import Charges, charges
from services.sandbox.replies import EmptyAnswerError, RefusedError, pounds, succeeded
from services.sandbox.wire import Json, branch, has_control_characters, text

_DEFAULT_FORMAT = "GIF"


async def ship(sandbox: Sandbox, call: Call) -> Json:
    """Sell the shipment; it is in the ledger before this returns.

    Raises RefusedError (10002, 111285, 1201xx to 1206xx), or EmptyAnswerError for a control character in the request.
    """
    if has_control_characters(call.body):
        raise EmptyAnswerError
    request = branch(call.body, "ShipmentRequest")
    consignment = read(branch(request, "Shipment"), SHIPPING, negotiable=not call.plan.published_rates)
    label_format = text(request, "LabelSpecification", "LabelImageFormat", "Code") or _DEFAULT_FORMAT
    if not labels.drawable_on_create(label_format):
        raise RefusedError("10002", f"The label image format {label_format} is not supported")
    assert consignment.service is not None
    cost = charges(consignment.service, consignment.origin, consignment.recipient, consignment.parcels)
    cost = replace(cost, fees=(cost.fees[0] + call.plan.surcharge, *cost.fees[1:]))
    sale = _sale(consignment, cost, sandbox.clock(), call.plan.delay)
    sold = await sandbox.ledger.run(Ledger.sell, sale, tuple(parcel.weight for parcel in consignment.parcels))
    return {
        "ShipmentResponse": {
            "Response": succeeded(branch(request, "Request")),
            "ShipmentResults": _results(consignment, cost, sold, label_format.upper()),
        }
    }


def _sale(consignment: Consignment, cost: Charges, now: datetime, delay: DelayVisibility | None) -> Sale:
    assert consignment.service is not None
    hidden_for = timedelta(milliseconds=delay.ms) if delay else timedelta()
    return Sale(
        shipper_number=consignment.shipper_number,
        service=consignment.service.code,
        references=consignment.references,
        recipient_city=consignment.recipient.city,
        recipient_state=consignment.recipient.state,
        recipient_postal_code=consignment.recipient.postal_code,
        recipient_country=consignment.recipient.country,
        cost=cost.negotiated if consignment.negotiated else cost.total,
        created_at=now,
        visible_at=now + hidden_for,
        early_answer=delay.answer if delay else "not_found",
    )


def _results(consignment: Consignment, cost: Charges, sold: SoldShipment, label_format: str) -> Json:
    results: Json = {
        "ShipmentCharges": bill.shipment_charges(cost),
        "BillingWeight": pounds(cost.billable_weight),
        "ShipmentIdentificationNumber": sold.shipment_id,
        "PackageResults": [
            {
                "TrackingNumber": parcel.tracking_number,
                **bill.package_charges(cost, place),
                "ShippingLabel": {
                    "ImageFormat": {"Code": label_format, "Description": label_format},
                    "GraphicImage": labels.drawn(label_format, parcel.tracking_number, sold.recipient_postal_code),
                },
            }
            for place, parcel in enumerate(sold.parcels)
        ],
    }
    if consignment.negotiated:
        results["NegotiatedRateCharges"] = bill.negotiated_charges(cost)
    if consignment.invoice is not None:
        results["Form"] = _form(consignment.invoice, sold)
    return results


def _form(invoice: Invoice, sold: SoldShipment) -> Json:
    image = drawn_invoice(invoice, sold.shipment_id)
    return {
        "Code": "01",
        "Description": "All Requested International Forms",
        "Image": {"ImageFormat": {"Code": "PDF", "Description": "PDF"}, "GraphicImage": image},
    }
