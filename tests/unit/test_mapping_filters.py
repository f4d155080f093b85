from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.coordinator.mapping.countries import COUNTRY_CODES, WITHOUT_POSTAL_CODES
from services.coordinator.mapping.filters import (
    country_code,
    inches,
    phone,
    postal_code,
    pounds,
    service_level,
    state_code,
    yes_no,
)
from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.states import STATE_CODES
from shared.shipping import ServiceLevel

POUNDS = {"lb": Fraction(1), "oz": Fraction(1, 16), "kg": 1 / Fraction("0.45359237"), "g": 1 / Fraction("453.59237")}


def digits_of(text: str) -> str:
    return "".join(re.findall("[0-9]", text))


def refusal(filter_: object, *arguments: str) -> str:
    assert callable(filter_)
    with pytest.raises(FieldValueError) as caught:
        filter_(*arguments)
    assert caught.value.value == arguments[0]
    return caught.value.reason


@pytest.mark.parametrize(
    ("written", "formatted"),
    [
        ("02134", "02134"),
        (" 02134 ", "02134"),
        ("'02134", "02134"),
        ("941071234", "94107-1234"),
        ("94107-1234", "94107-1234"),
        ("94107 1234", "94107-1234"),
        ("94107\u20131234", "94107-1234"),
        ("94107-", "94107"),
    ],
)
def test_a_zip_code_takes_its_one_form(written: str, formatted: str) -> None:
    assert postal_code(written) == formatted


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2134", "4 digits; a leading zero may have been lost"),
        ("601", "3 digits; leading zeros may have been lost"),
        ("21341234", "8 digits; a leading zero may have been lost"),
        ("2134-1234", "8 digits; a leading zero may have been lost"),
        ("12", "2 digits; a ZIP code has 5 or 9"),
        ("123456", "6 digits; a ZIP code has 5 or 9"),
        ("94107.0", "a ZIP code is 5 digits, or 5 and 4"),
        ("K1A 0B1", "a ZIP code is 5 digits, or 5 and 4"),
        ("\uff19\uff14\uff11\uff10\uff17", "a ZIP code is 5 digits, or 5 and 4"),
    ],
)
def test_a_zip_code_is_refused_rather_than_guessed(written: str, reason: str) -> None:
    assert refusal(postal_code, written) == reason


@given(st.one_of(st.text(max_size=14), st.from_regex(r"['\s]?[0-9]{3,10}[ \-]{0,2}[0-9]{0,5}", fullmatch=True)))
def test_a_zip_code_keeps_exactly_the_digits_it_came_with(written: str) -> None:
    try:
        formatted = postal_code(written)
    except FieldValueError:
        return
    assert digits_of(formatted) == digits_of(written)
    assert re.fullmatch("[0-9]{5}(-[0-9]{4})?", formatted)
    assert postal_code(formatted) == formatted


def test_postal_codes_of_other_countries_are_trimmed_and_in_capitals() -> None:
    assert postal_code(" sw1a  1aa ", "GB") == "SW1A 1AA"
    assert postal_code("k1a0b1", "Canada") == "K1A 0B1"
    assert postal_code("2134", "AT") == "2134"
    assert refusal(postal_code, "12345", "CA") == "a Canadian postal code looks like K1A 0B1"
    assert refusal(postal_code, "1234567890", "DE") == "10 characters; at most 9"


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        ("2", "lb", "2.0"),
        ("2.41", "lb", "2.5"),
        ("0.29", "", "0.3"),
        (".5", "lbs", "0.5"),
        ("5.", "lb", "5.0"),
        ("16", "oz", "1.0"),
        ("17", "Oz.", "1.1"),
        ("16 oz", "lb", "1.0"),
        ("2.5kg", "lb", "5.6"),
        ("453.59237", "g", "1.0"),
        ("454 grams", "lb", "1.1"),
        ("3 lbs. 4 oz", "lb", "3.3"),
        ("0.0001", "lb", "0.1"),
        ("1.2000000000000002", "lb", "1.3"),
    ],
)
def test_a_weight_becomes_pounds_rounded_up_to_a_tenth(written: str, unit: str, expected: str) -> None:
    assert pounds(written, unit) == Decimal(expected)
    assert str(pounds(written, unit)) == expected


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("-3", "it is negative"),
        ("\u22123", "it is negative"),
        ("0", "it must be more than zero"),
        ("0.00 kg", "it must be more than zero"),
        ("1,500", "a comma may mean thousands or a decimal; write a decimal point"),
        ("3 stone", "stone is no unit of weight; use lb, oz, kg or g"),
        ("heavy", "a weight is a number and perhaps lb, oz, kg or g"),
        ("1e3", "a weight is a number and perhaps lb, oz, kg or g"),
        ("nan", "a weight is a number and perhaps lb, oz, kg or g"),
    ],
)
def test_a_weight_that_could_be_misread_is_refused(written: str, reason: str) -> None:
    assert refusal(pounds, written) == reason


@given(
    st.decimals(min_value=Decimal("0.001"), max_value=99999, places=3, allow_nan=False), st.sampled_from(sorted(POUNDS))
)
def test_a_weight_never_decreases_and_grows_by_less_than_a_tenth(number: Decimal, unit: str) -> None:
    exact = Fraction(number) * POUNDS[unit]
    rounded = pounds(str(number), unit)
    assert exact <= Fraction(rounded) < exact + Fraction(1, 10)
    assert pounds(str(rounded)) == rounded


@given(st.integers(min_value=1, max_value=99999))
def test_an_amount_in_tenths_of_a_pound_stays_exactly_itself(tenths: int) -> None:
    assert pounds(f"{tenths // 10}.{tenths % 10}") == Decimal(tenths) / 10


def test_a_length_is_in_inches() -> None:
    assert inches('12.5"') == Decimal("12.5")
    assert inches("10 in") == Decimal(10)
    assert refusal(inches, "25 cm") == "a length is a number of inches"
    assert refusal(inches, "0") == "it must be more than zero"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("(512) 555-0101", "5125550101"),
        ("+1 512 555 0101", "15125550101"),
        ("512.555.0101 ext. 12", "5125550101"),
        ("512-555-0101 x12", "5125550101"),
        ("5125550101.0", "5125550101"),
        ("+44 20 7946 0018", "442079460018"),
    ],
)
def test_a_phone_number_becomes_its_digits(written: str, digits: str) -> None:
    assert phone(written) == digits


@pytest.mark.parametrize("written", ["1-800-FLOWERS", "5.12555E+09", "n/a", "512+5550101", "٥١٢٥٥٥٠١٠١"])
def test_a_phone_number_with_anything_else_in_it_is_refused(written: str) -> None:
    assert refusal(phone, written) == "a phone number has digits, spaces and ( ) . - / only"


@given(st.text(alphabet="+0123456789 ().-/x", max_size=25))
def test_a_phone_number_never_gains_or_reorders_digits(written: str) -> None:
    try:
        digits = phone(written)
    except FieldValueError:
        return
    assert 7 <= len(digits) <= 15
    assert digits_of(written).startswith(digits)
    assert phone(digits) == digits


def test_too_many_or_too_few_digits_are_no_phone_number() -> None:
    assert refusal(phone, "555") == "3 digits; a phone number has 7 to 15"
    assert refusal(phone, "1234567890123456") == "16 digits; a phone number has 7 to 15"


@pytest.mark.parametrize(
    ("written", "country", "code"),
    [
        ("California", "US", "CA"),
        ("ca", "", "CA"),
        ("US-CA", "US", "CA"),
        ("D.C.", "US", "DC"),
        ("new  york", "United States", "NY"),
        ("Puerto Rico", "US", "PR"),
        ("Québec", "CA", "QC"),
        ("quebec", "Canada", "QC"),
        ("CA-ON", "CA", "ON"),
        ("PR", "PR", "PR"),
        ("Île-de-France", "FR", "Île-de-France"),
    ],
)
def test_a_state_becomes_its_code_where_codes_are_used(written: str, country: str, code: str) -> None:
    assert state_code(written, country) == code


def test_an_unknown_state_is_refused() -> None:
    assert refusal(state_code, "ON", "US") == "there is no such state in US"
    assert refusal(state_code, "TX", "CA") == "there is no such province in CA"
    assert refusal(state_code, "CA-TX", "US") == "there is no such state in US"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("us", "US"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("DEU", "DE"),
        ("Deutschland", "DE"),
        ("mexico", "MX"),
        ("México", "MX"),
        ("Cote d'Ivoire", "CI"),
        ("The Netherlands", "NL"),
    ],
)
def test_a_country_becomes_its_two_letter_code(written: str, code: str) -> None:
    assert country_code(written) == code


def test_an_unknown_country_is_refused() -> None:
    assert refusal(country_code, "Atlantis") == "there is no such country; use its ISO code, such as US"
    assert refusal(country_code, "--") == "there is no such country; use its ISO code, such as US"


def test_the_tables_of_places_are_whole() -> None:
    countries = set(COUNTRY_CODES.values())
    assert len(countries) == 249
    assert countries >= WITHOUT_POSTAL_CODES
    assert all(COUNTRY_CODES[code.lower()] == code for code in countries)
    assert len(set(STATE_CODES["US"].values())) == 62
    assert len(set(STATE_CODES["CA"].values())) == 13


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("UPS Ground", ServiceLevel.GROUND),
        ("UPS® Ground", ServiceLevel.GROUND),
        ("03", ServiceLevel.GROUND),
        ("Next Day Air", ServiceLevel.NEXT_DAY_AIR),
        ("2nd Day", ServiceLevel.SECOND_DAY_AIR),
        ("2nd Day Air A.M.", ServiceLevel.SECOND_DAY_AIR_AM),
        ("ups_next_day_air_saver", ServiceLevel.NEXT_DAY_AIR_SAVER),
        ("3 Day Select", ServiceLevel.THREE_DAY_SELECT),
        ("65", ServiceLevel.WORLDWIDE_SAVER),
    ],
)
def test_a_service_is_known_by_its_names_and_codes(written: str, level: ServiceLevel) -> None:
    assert service_level(written) is level


@pytest.mark.parametrize("level", list(ServiceLevel))
def test_every_service_level_is_known_by_its_own_name(level: ServiceLevel) -> None:
    assert service_level(level.value) is level


@pytest.mark.parametrize("written", ["3", "express", "cheapest", "--"])
def test_a_service_that_could_be_several_is_refused(written: str) -> None:
    assert refusal(service_level, written).startswith("there is no such service")


def test_yes_and_no_have_many_words_and_two_more_on_request() -> None:
    assert all(yes_no(word) for word in ("yes", "Y", "TRUE", "1", "x"))
    assert not any(yes_no(word) for word in ("no", "N", "False", "0"))
    assert yes_no("Residential", "residential", "commercial")
    assert not yes_no("Commercial", "residential", "commercial")
    assert refusal(yes_no, "maybe") == "use yes or no"


@given(st.text(max_size=30), st.sampled_from([state_code, country_code, service_level, yes_no, inches, phone, pounds]))
def test_a_filter_refuses_a_text_or_gives_what_it_gives_back_unchanged(text: str, filter_: object) -> None:
    assume(text.strip())
    assert callable(filter_)
    try:
        value = filter_(text)
    except FieldValueError:
        return
    assert filter_(str(value)) == value
