from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.lanes import Place, takes_package_references, zone
from services.sandbox.rates import (
    RESIDENTIAL_SURCHARGE,
    SERVICES,
    Parcel,
    arrival,
    billable_weight,
    business_days,
    charges,
)

AUSTIN = Place("US", "78701", "TX")
AMHERST = Place("US", "01002", "MA")
GROUND = SERVICES["03"]
POUNDS = st.decimals(min_value="0.1", max_value=150, places=1)


def parcel(weight: str, sides: tuple[int, int, int] | None = None) -> Parcel:
    if sides is None:
        return Parcel(Decimal(weight))
    length, width, height = map(Decimal, sides)
    return Parcel(Decimal(weight), (length, width, height))


@pytest.mark.parametrize(
    ("given_parcel", "pounds"),
    [
        (parcel("0.1"), 1),
        (parcel("3"), 3),
        (parcel("3.1"), 4),
        (parcel("3", (12, 12, 12)), 13),  # 1728 / 139 = 12.4
        (parcel("20", (12, 12, 12)), 20),
        (parcel("1", (139, 1, 1)), 1),
    ],
)
def test_the_billable_weight_is_the_greater_of_actual_and_dimensional_in_whole_pounds(
    given_parcel: Parcel, pounds: int
) -> None:
    assert billable_weight(given_parcel) == pounds


def test_a_charge_is_the_tariff_of_service_zone_and_weight() -> None:
    cost = charges(GROUND, AUSTIN, AMHERST, [parcel("2.5")])
    assert (cost.zone, cost.billable_weight) == (8, 3)
    assert cost.total == Decimal("9.65") + 2 * Decimal("0.42") + 6 * Decimal("0.85")
    assert cost.negotiated == Decimal("11.22")


def test_a_residence_costs_a_surcharge_for_every_package() -> None:
    home = Place("US", "01002", "MA", residential=True)
    packages = [parcel("1"), parcel("2")]
    difference = charges(GROUND, AUSTIN, home, packages).total - charges(GROUND, AUSTIN, AMHERST, packages).total
    assert difference == 2 * RESIDENTIAL_SURCHARGE


@given(POUNDS, POUNDS, st.sampled_from(sorted(SERVICES)), st.booleans())
def test_a_heavier_parcel_never_costs_less_and_every_charge_has_whole_cents(
    one: Decimal, other: Decimal, code: str, residential: bool
) -> None:
    service = SERVICES[code]
    destination = AMHERST if service.domestic else Place("CA", "K1A0B1")
    destination = Place(destination.country, destination.postal_code, residential=residential)
    light, heavy = (charges(service, AUSTIN, destination, [Parcel(weight)]) for weight in sorted((one, other)))
    assert Decimal(0) < light.total <= heavy.total
    assert light.negotiated < light.total
    assert all(cost == cost.quantize(Decimal("0.01")) for cost in (light.total, light.negotiated, heavy.total))


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        (Place("US", "78704"), 2),
        (Place("US", "01002"), 8),
        (Place("US", "99501"), 9),
        (Place("PR", "00901"), 9),
        (Place("CA", "K1A0B1"), 10),
        (Place("MX", "06600"), 11),
    ],
)
def test_the_zone_follows_from_the_two_postal_codes_and_the_country(destination: Place, expected: int) -> None:
    assert zone(AUSTIN, destination) == expected


def test_the_zone_is_the_same_both_ways() -> None:
    assert zone(AUSTIN, AMHERST) == zone(AMHERST, AUSTIN)
    assert zone(AUSTIN, Place("DE", "10115")) == zone(Place("DE", "10115"), AUSTIN)


def test_references_belong_to_packages_within_one_domestic_country_only() -> None:
    san_juan = Place("PR", "00901")
    assert takes_package_references(AUSTIN, AMHERST)
    assert takes_package_references(san_juan, san_juan)
    assert not takes_package_references(AUSTIN, san_juan)
    assert not takes_package_references(AUSTIN, Place("CA", "K1A0B1"))


def test_ground_takes_longer_the_farther_it_goes_and_arrives_on_a_business_day() -> None:
    assert [business_days(GROUND, lane_zone) for lane_zone in (2, 3, 5, 8)] == [1, 2, 3, 4]
    assert business_days(SERVICES["01"], 8) == 1
    friday = date(2026, 11, 20)
    assert arrival(friday, 1) == date(2026, 11, 23)
    assert arrival(friday, 6) == date(2026, 11, 30)
