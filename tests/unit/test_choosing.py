"""Services that the carrier's prices choose."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.service_choice import ServiceChoice, service_choice
from services.coordinator.pricing.choosing import choose
from shared.contracts.rates import Offer
from shared.errors import ErrorBody
from shared.shipping import Money, ServiceLevel, Shipment
from tests.contract.messages import SHIPMENT

WEDNESDAY = date(2026, 11, 25)


def offer(service: ServiceLevel, cost: str, day: int | None = None) -> Offer:
    arrival = None if day is None else date(2026, 11, day)
    return Offer(service=service, cost=Money(amount=Decimal(cost)), arrival=arrival)


OFFERS = (
    offer(ServiceLevel.NEXT_DAY_AIR, "60.00", 23),
    offer(ServiceLevel.NEXT_DAY_AIR_SAVER, "50.00", 24),
    offer(ServiceLevel.GROUND, "12.00", 27),
)


def shipment(*, on_saturday: bool = False, phone: str = "6175550101") -> Shipment:
    recipient = SHIPMENT.recipient.model_copy(update={"phone": phone})
    return SHIPMENT.model_copy(update={"saturday_delivery": on_saturday, "recipient": recipient})


def chosen(choice: ServiceChoice, *offers: Offer, on_saturday: bool = False) -> ServiceLevel:
    found = choose(offers or OFFERS, choice, shipment(on_saturday=on_saturday))
    assert isinstance(found, Offer)
    return found.service


def refused(choice: ServiceChoice, *offers: Offer, on_saturday: bool = False) -> ErrorBody:
    found = choose(offers, choice, shipment(on_saturday=on_saturday))
    assert isinstance(found, ErrorBody)
    return found


def test_the_cheapest_is_chosen_and_by_a_day_the_cheapest_of_those_in_time() -> None:
    assert chosen(ServiceChoice()) is ServiceLevel.GROUND
    assert chosen(ServiceChoice(date(2026, 11, 27))) is ServiceLevel.GROUND
    assert chosen(ServiceChoice(WEDNESDAY)) is ServiceLevel.NEXT_DAY_AIR_SAVER
    assert chosen(ServiceChoice(date(2026, 11, 23))) is ServiceLevel.NEXT_DAY_AIR


def test_of_two_at_one_price_the_earlier_is_chosen() -> None:
    later = offer(ServiceLevel.GROUND, "12.00", 27)
    assert chosen(ServiceChoice(), later, offer(ServiceLevel.SECOND_DAY_AIR, "12.00", 24)) == "2nd_day_air"
    assert chosen(ServiceChoice(), later, offer(ServiceLevel.THREE_DAY_SELECT, "12.00")) is ServiceLevel.GROUND


def test_what_does_not_say_when_it_arrives_is_not_in_time() -> None:
    unknown = offer(ServiceLevel.GROUND, "12.00")
    assert chosen(ServiceChoice()) is ServiceLevel.GROUND
    assert refused(ServiceChoice(WEDNESDAY), unknown).message == (
        "No service delivers the row by 2026-11-25: none says when it arrives."
    )


def test_a_row_that_nothing_is_in_time_for_says_what_would_be_first() -> None:
    error = refused(ServiceChoice(date(2026, 11, 22)), *OFFERS)
    assert error.code == "E-3041"
    assert error.message == "No service delivers the row by 2026-11-22: next_day_air would be first, on 2026-11-23."


def test_a_row_for_a_saturday_goes_by_what_is_delivered_then() -> None:
    assert chosen(ServiceChoice(), on_saturday=True) is ServiceLevel.NEXT_DAY_AIR
    assert refused(ServiceChoice(), OFFERS[2], on_saturday=True).code == "E-3042"


def test_what_wants_a_phone_is_not_chosen_for_a_row_without_one() -> None:
    early, later = offer(ServiceLevel.NEXT_DAY_AIR_EARLY, "20.00", 23), offer(ServiceLevel.NEXT_DAY_AIR, "60.00", 23)
    assert choose((early, later), ServiceChoice(), shipment()) == early
    assert choose((early, later), ServiceChoice(), shipment(phone="")) == later
    assert refused(ServiceChoice(), OFFERS[2], on_saturday=True).code == "E-3042"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("cheapest", ServiceChoice()),
        (" Cheapest ", ServiceChoice()),
        ("cheapest-by:2026-11-25", ServiceChoice(WEDNESDAY)),
        ("ground", None),
    ],
)
def test_a_choice_is_written_in_words(text: str, choice: ServiceChoice | None) -> None:
    assert service_choice(text) == choice


@pytest.mark.parametrize("text", ["cheapest-by", "cheapest-by:", "cheapest-by:25/11/2026", "cheapest-by:2026-02-30"])
def test_a_choice_by_no_day_is_refused(text: str) -> None:
    with pytest.raises(FieldValueError):
        service_choice(text)
