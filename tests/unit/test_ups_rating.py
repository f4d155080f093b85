"""Rating: what UPS is asked for one service's price or every one's, and what its answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.shipper.carriers.carrier import Rate
from services.shipper.carriers.ups.answers import Refused, Unclear
from services.shipper.carriers.ups.rating import Rated, rate_answer, rate_call, shop_call
from shared.shipping import Money, Package, ServiceLevel
from tests.unit import ups_bodies as ups

NO_HEADERS: Mapping[str, str] = {}
PUBLISHED, NEGOTIATED = Money(amount=Decimal("14.20")), Money(amount=Decimal("9.87"))
GROUND = {"Service": {"Code": "03"}, "TotalCharges": ups.PUBLISHED}


def rates(body: bytes) -> tuple[Rate, ...]:
    answer = rate_answer(200, NO_HEADERS, body)
    assert isinstance(answer, Rated)
    return answer.rates


def test_the_price_is_the_accounts_own_where_it_has_one() -> None:
    own = GROUND | {"NegotiatedRateCharges": {"TotalCharge": ups.NEGOTIATED}}
    assert rates(ups.rate_body(own)) == (Rate(ServiceLevel.GROUND, NEGOTIATED),)
    assert rates(ups.rate_body(GROUND)) == (Rate(ServiceLevel.GROUND, PUBLISHED, negotiated=False),)


@pytest.mark.parametrize(("told", "zone"), [({"Zone": "5"}, "5"), ({"Zone": "44"}, "44"), ({}, ""), ({"Zone": 5}, "5")])
def test_a_zone_is_the_one_that_the_answer_names(told: dict[str, object], zone: str) -> None:
    assert [rate.zone for rate in rates(ups.rate_body(GROUND | told))] == [zone]


def test_every_service_that_is_offered_here_has_a_price() -> None:
    air, unknown = GROUND | {"Service": {"Code": "02"}}, GROUND | {"Service": {"Code": "93"}}
    named = [rate.service for rate in rates(ups.rate_body(air, unknown, GROUND))]
    assert named == [ServiceLevel.SECOND_DAY_AIR, ServiceLevel.GROUND]


def test_a_rated_shipment_may_come_as_an_object() -> None:
    body = json.loads(ups.rate_body())
    body["RateResponse"]["RatedShipment"] = body["RateResponse"]["RatedShipment"][0]
    assert rates(ups.encoded(body)) == (Rate(ServiceLevel.GROUND, NEGOTIATED),)


def test_an_answer_tells_when_the_shipment_arrives() -> None:
    arrival = {"Arrival": {"Date": "20261125", "Time": "230000"}, "BusinessDaysInTransit": "3"}
    in_transit = GROUND | {"TimeInTransit": {"ServiceSummary": {"EstimatedArrival": arrival}}}
    guaranteed = GROUND | {"GuaranteedDelivery": {"BusinessDaysInTransit": "2"}}
    unreadable = GROUND | {"TimeInTransit": {"ServiceSummary": {"EstimatedArrival": {"Arrival": {"Date": "soon"}}}}}
    told = [(rate.days, rate.arrival) for rate in rates(ups.rate_body(in_transit, guaranteed, unreadable))]
    assert told == [(3, date(2026, 11, 25)), (2, None), (None, None)]


@pytest.mark.parametrize("body", [b"", b"{}", ups.rate_body({"Service": {"Code": "03"}})])
def test_an_answer_without_a_price_is_unclear(body: bytes) -> None:
    assert isinstance(rate_answer(200, NO_HEADERS, body), Unclear)


def test_a_refused_rate_has_the_carriers_code() -> None:
    body = ups.error_body(("111210", "No service"))
    assert rate_answer(400, NO_HEADERS, body) == Refused("111210", "No service")


def test_every_service_is_asked_for_with_its_time_in_transit() -> None:
    shipment = ups.shipment(packages=(Package(weight=Decimal("12.5")), Package(weight=Decimal(3))))
    call = shop_call(shipment, ups.ACCOUNT, date(2026, 11, 21))
    assert call.target == "/api/rating/v2409/Shoptimeintransit?additionalinfo=timeintransit"
    one: dict[str, Any] = json.loads(rate_call(shipment, ups.ACCOUNT).body)["RateRequest"]
    every: dict[str, Any] = json.loads(call.body)["RateRequest"]
    assert every["Request"]["RequestOption"] == "Shoptimeintransit"
    asked = every["Shipment"]
    assert asked.pop("DeliveryTimeInformation") == {"PackageBillType": "03", "Pickup": {"Date": "20261121"}}
    weight = {"UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"}, "Weight": "15.5"}
    assert asked.pop("ShipmentTotalWeight") == weight
    assert one["Shipment"].pop("Service") == {"Code": "03"}
    assert asked == one["Shipment"]
