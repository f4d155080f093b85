"""What was not rated costs what a rated shipment like it does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.coordinator.pricing.likeness import LikelyCosts, Likeness, billable, likeness
from shared.shipping import Dimensions, Money, Package
from tests.contract.messages import SHIPMENT


def parcel(weight: str, place: str = "021", service: str = "ground", **changes: Any) -> Likeness:
    return Likeness(
        service=service,
        origin="US 78701",
        country="US",
        place=place,
        residential=False,
        packages=1,
        weight=Decimal(weight),
    )._replace(**changes)


def dollars(amount: str) -> Money:
    return Money(amount=Decimal(amount))


RATED = [
    (parcel("1"), dollars("10.00")),
    (parcel("5"), dollars("14.00")),
    (parcel("40"), dollars("30.00")),
    (parcel("5", "029"), dollars("14.50")),
    (parcel("5", "941"), dollars("21.00")),
    (parcel("60", "941"), dollars("66.00")),
    (parcel("5", residential=True), dollars("17.00")),
    (parcel("5", options="adult"), dollars("19.00")),
    (parcel("5", service="next_day_air"), dollars("50.00")),
    (parcel("9", service="next_day_air"), dollars("70.00")),
    (parcel("5", country="DE", place="101", service="next_day_air"), dollars("90.00")),
]


@pytest.mark.parametrize(
    ("shipment", "cost"),
    [
        pytest.param(parcel("5.5"), "14.00", id="the parcel nearest in weight to the same place"),
        pytest.param(parcel("38"), "30.00", id="a tenth of its weight away"),
        pytest.param(parcel("5", "028"), "14.00", id="else in the same region"),
        pytest.param(parcel("5", "946"), "21.00", id="of that region, not of the place before it"),
        pytest.param(parcel("58"), "66.00", id="else the parcel nearest in weight on the lane, wherever it goes"),
        pytest.param(parcel("5", residential=True), "17.00", id="a home as a home"),
        pytest.param(parcel("5", options="adult"), "19.00", id="a signature as a signature"),
        pytest.param(parcel("80", origin="US 10001"), "23.94", id="from elsewhere: the service's average"),
        pytest.param(parcel("9", country="FR", place="750", service="next_day_air"), "70.00", id="average, too"),
        pytest.param(parcel("5", packages=3), "42.00", id="three parcels as three times one"),
    ],
)
def test_a_shipment_costs_what_is_rated_most_like_it(shipment: Likeness, cost: str) -> None:
    assert LikelyCosts(RATED).of(shipment) == dollars(cost)


def test_a_home_costs_what_others_do_where_no_home_was_rated() -> None:
    assert LikelyCosts([(parcel("5"), dollars("14.00"))]).of(parcel("5", residential=True)) == dollars("14.00")


def test_nothing_is_said_of_a_service_that_nothing_was_rated_by() -> None:
    assert LikelyCosts(RATED).of(parcel("5", service="2nd_day_air")) is None
    assert LikelyCosts([]).of(parcel("5")) is None


def test_amounts_of_another_currency_tell_nothing() -> None:
    other = Money(amount=Decimal("9.00"), currency="EUR")
    assert LikelyCosts([(parcel("5"), dollars("14.00")), (parcel("7"), other)]).of(parcel("7")) == dollars("14.00")


def test_a_large_light_box_weighs_what_its_size_is_billed_as() -> None:
    box = Package(
        weight=Decimal(2), dimensions=Dimensions(length=Decimal(20), width=Decimal(20), height=Decimal("13.9"))
    )
    assert billable(box) == Decimal(40)
    shipment = SHIPMENT.model_copy(update={"packages": (box, Package(weight=Decimal(10)))})
    assert (likeness(shipment).packages, likeness(shipment).weight) == (2, Decimal("25.00"))
