"""Rating: what is asked for a shipment's price by one service or by all, and what UPS answers (Rating v2409)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.shipper.carriers.carrier import Rate
from services.shipper.carriers.ups.answers import Failure, Unclear, failure, is_success, preferred
from services.shipper.carriers.ups.bodies import Document, Headers, document, many, one, succeeded, text
from services.shipper.carriers.ups.options import documents_only, invoice_total, package_options, shipment_options
from services.shipper.carriers.ups.requests import (
    Call,
    Json,
    billed_to,
    context,
    encoded,
    measures,
    number,
    place,
    trans_id,
)
from services.shipper.carriers.ups.services import code_of, level_of
from shared.shipping import Shipment

RATE_PATH = "/api/rating/v2409/Rate"
SHOP_PATH = "/api/rating/v2409/Shoptimeintransit"

_IN_TRANSIT = "?additionalinfo=timeintransit"
_DOCUMENTS, _GOODS = "02", "03"
_LONGEST_ZONE = 4
_POUNDS = {"Code": "LBS", "Description": "Pounds"}


@dataclass(frozen=True)
class Rated:
    """The carrier's prices, in its order; none by a service that is not offered here."""

    rates: tuple[Rate, ...]


RateAnswer = Rated | Failure


def rate_call(shipment: Shipment, account: str) -> Call:
    """What `shipment` would cost by its service."""
    asked = {"Service": {"Code": code_of(shipment.service)}}
    return _call(shipment, account, "Rate", RATE_PATH, asked)


def shop_call(shipment: Shipment, account: str, pickup: date) -> Call:
    """What `shipment` would cost by every service, and when it would arrive if it were picked up on that day."""
    weight = sum((package.weight for package in shipment.packages), Decimal(0))
    # UPS refuses a question for the time in transit without these two: 111563, 111546.
    asked: Json = {
        "DeliveryTimeInformation": {
            "PackageBillType": _DOCUMENTS if shipment.documents_only else _GOODS,
            "Pickup": {"Date": f"{pickup:%Y%m%d}"},
        },
        "ShipmentTotalWeight": {"UnitOfMeasurement": _POUNDS, "Weight": number(weight)},
    }
    return _call(shipment, account, "Shoptimeintransit", SHOP_PATH + _IN_TRANSIT, asked)


def _call(shipment: Shipment, account: str, option: str, target: str, asked: Json) -> Call:
    body: Json = {
        "RateRequest": {
            "Request": {"RequestOption": option, "SubVersion": "2409", **context(shipment.order_number)},
            "PickupType": {"Code": "01"},
            "Shipment": {
                "Shipper": {**place(shipment.shipper or shipment.ship_from), "ShipperNumber": account},
                "ShipTo": place(shipment.recipient),
                **({"ShipFrom": place(shipment.ship_from)} if shipment.shipper else {}),
                **documents_only(shipment),
                **invoice_total(shipment),
                **shipment_options(shipment),
                "PaymentDetails": billed_to(account),
                "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
                **asked,
                "Package": [
                    {"PackagingType": {"Code": "02"}, **measures(package), **package_options(shipment, package)}
                    for package in shipment.packages
                ],
            },
        }
    }
    return Call("Rating", "POST", target, trans_id(shipment.order_number), encoded(body), bulk=True)


def rate_answer(status: int, headers: Headers, body: bytes) -> RateAnswer:
    """The prices that an answer names, each the account's own where it has one."""
    if not is_success(status):
        return failure(status, headers, body)
    response = one((document(body) or {}).get("RateResponse"))
    rates = tuple(_rates(response)) if succeeded(response) else ()
    return Rated(rates) if rates else Unclear(f"HTTP {status} without a readable price")


def _rates(response: Document) -> Iterator[Rate]:
    for rated in many(response.get("RatedShipment")):
        service = level_of(text(one(rated.get("Service")).get("Code")))
        negotiated = rated.get("NegotiatedRateCharges")
        cost = preferred(negotiated, rated.get("TotalCharges"))
        if service is not None and cost is not None:
            days, arrival = _transit(rated)
            # Told by answers to subversion 2409 and later.
            zone = text(rated.get("Zone"))[:_LONGEST_ZONE]
            yield Rate(service, cost, bool(negotiated), days, arrival, zone)


def _transit(rated: Document) -> tuple[int | None, date | None]:
    """Business days in transit and the day of arrival; None for what the answer does not tell."""
    summary = one(one(rated.get("TimeInTransit")).get("ServiceSummary"))
    estimated = one(summary.get("EstimatedArrival"))
    days = text(estimated.get("BusinessDaysInTransit"))
    days = days or text(one(rated.get("GuaranteedDelivery")).get("BusinessDaysInTransit"))
    written = text(one(estimated.get("Arrival")).get("Date"))
    try:
        arrival = datetime.strptime(written, "%Y%m%d").date()  # noqa: DTZ007 - a day as the recipient's calendar has it
    except ValueError:
        arrival = None
    return (int(days) if days.isdecimal() else None), arrival
