"""Rating: what a shipment would cost, by one service (Rate) or by every one that runs (Shop)."""

from __future__ import annotations

from datetime import date, datetime

from services.sandbox import bill
from services.sandbox.calls import Call, Sandbox
from services.sandbox.consignment import RATING, Consignment, read
from services.sandbox.rates import SERVICES, Service, arrival, business_days, charges
from services.sandbox.replies import RefusedError, pounds, succeeded
from services.sandbox.wire import Json, branch, text

_IN_TRANSIT = "timeintransit"
_END_OF_DAY = "230000"


async def rate(sandbox: Sandbox, call: Call) -> Json:
    """Answer a rate request; raises RefusedError 10002, 1101xx, 1102xx, 1103xx, 1110xx, 1112xx or 12060x."""
    request = branch(call.body, "RateRequest")
    option = call.path["option"].lower()
    if option.removesuffix(_IN_TRANSIT) not in {"rate", "shop"}:
        raise RefusedError("10002", "The request option is invalid")
    consignment = read(
        branch(request, "Shipment"), RATING, shop=option.startswith("shop"), negotiable=not call.plan.published_rates
    )
    services = [consignment.service] if consignment.service else _running(consignment)
    in_transit = option.endswith(_IN_TRANSIT) or call.query.get("additionalinfo", "").lower() == _IN_TRANSIT
    pickup = _pickup(request, sandbox.clock().date()) if in_transit else None
    return {
        "RateResponse": {
            "Response": succeeded(branch(request, "Request")),
            "RatedShipment": [_rated(consignment, service, pickup) for service in services],
        }
    }


def _running(consignment: Consignment) -> list[Service]:
    services = [
        service
        for service in SERVICES.values()
        if service.runs(consignment.origin, consignment.recipient)
        and (service.on_saturdays or not consignment.saturday)
    ]
    if not services:
        raise RefusedError(RATING.unserved_lane, "The requested service is unavailable between the selected locations.")
    return services


def _pickup(request: object, today: date) -> date:
    written = text(branch(request, "Shipment"), "DeliveryTimeInformation", "Pickup", "Date")
    if not written:
        return today
    try:
        return datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 - a date as the caller's calendar has it
    except ValueError as error:
        raise RefusedError("10002", "The pickup date is invalid") from error


def _rated(consignment: Consignment, service: Service, pickup: date | None) -> Json:
    cost = charges(service, consignment.origin, consignment.recipient, consignment.parcels)
    days = business_days(service, cost.zone)
    rated: Json = {
        "Service": {"Code": service.code, "Description": service.name},
        "Zone": str(cost.zone),
        "RatedShipmentAlert": [],
        "BillingWeight": pounds(cost.billable_weight),
        **bill.shipment_charges(cost),
        "RatedPackage": [
            {**bill.package_charges(cost, place), "Weight": f"{parcel.weight:.1f}"}
            for place, parcel in enumerate(consignment.parcels)
        ],
    }
    if consignment.negotiated:
        rated["NegotiatedRateCharges"] = bill.negotiated_charges(cost)
    if not service.by_zone:
        rated["GuaranteedDelivery"] = {"BusinessDaysInTransit": str(days)}
    if pickup is not None:
        rated["TimeInTransit"] = _time_in_transit(service, days, pickup)
    return rated


def _time_in_transit(service: Service, days: int, pickup: date) -> Json:
    return {
        "PickupDate": f"{pickup:%Y%m%d}",
        "PackageBillType": "03",
        "ServiceSummary": {
            "Service": {"Description": service.name},
            "EstimatedArrival": {
                "Arrival": {"Date": f"{arrival(pickup, days):%Y%m%d}", "Time": _END_OF_DAY},
                "BusinessDaysInTransit": str(days),
                "Pickup": {"Date": f"{pickup:%Y%m%d}"},
            },
        },
    }
