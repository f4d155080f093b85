"""Phone numbers against their country's numbering plan: a warning, and what the number may have been meant to be."""

import random

import pytest
from phonenumbers import is_valid_number, parse

from services.coordinator.intake.phone_rules import phone_warnings


@pytest.mark.parametrize(
    ("digits", "country"),
    [
        ("", "US"),
        ("6175550123", "US"),
        ("16175550123", "US"),
        ("6135550123", "US"),
        ("442079460958", "US"),
        ("011442079460958", "US"),
        ("02079460958", "GB"),
        ("442079460958", "GB"),
        ("030123456", "DE"),
        ("7875550123", "PR"),
        ("123", "AQ"),
    ],
)
def test_a_number_of_the_country_or_with_a_countrys_code_has_no_warning(digits: str, country: str) -> None:
    assert phone_warnings(digits, country) == ()


@pytest.mark.parametrize(
    ("digits", "country", "reason", "suggestion"),
    [
        ("5550123", "US", "it has no area code", ""),
        ("0005550123", "US", "nobody has such a number", ""),
        ("61755501234567", "US", "it is too long", "+1 617-555-0123"),
        ("00442079460958", "US", "it is too long", "+44 20 7946 0958"),
        ("123456789", "US", "it is too short", ""),
    ],
)
def test_another_one_is_told_with_the_reason_and_what_it_may_have_been(
    digits: str, country: str, reason: str, suggestion: str
) -> None:
    (warning,) = phone_warnings(digits, country)
    assert warning.code == "phone_unusual"
    assert warning.field == "phone"
    assert warning.message == f"No phone in {country} has the number {digits}: {reason}."
    assert warning.suggestion == suggestion


def test_in_north_america_area_and_exchange_decide() -> None:
    chance = random.Random(5)
    for _ in range(3000):
        digits = f"{chance.randint(2_000_000_000, 9_999_999_999)}"
        assert (phone_warnings(digits, "US") == ()) == is_valid_number(parse(digits, "US")), digits
