from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.coordinator.mapping import Defaults, Fields, RowInvalidError, Senders, map_order
from services.coordinator.mapping.fields import FIELDS, TEXT_LIMITS
from shared.shipping import Address, Contact, ServiceLevel, Shipment

SENDER = Contact(
    name="Warehouse",
    phone="5125550100",
    address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"),
)
GOOD = {
    "recipient_name": "Maya Okafor",
    "company": "Okafor, Ltd",
    "phone": "(617) 555-0101",
    "email": "maya@example.com",
    "address_1": "418 Alder Court",
    "address_2": "",
    "address_3": "Rear door",
    "city": "Somerville",
    "state": "Massachusetts",
    "postal_code": "02143",
    "country": "USA",
    "residential": "yes",
    "weight": "2.41",
    "length": "10",
    "width": "8",
    "height": "4.5",
    "service": "UPS 2nd Day Air",
    "order_number": "T-1001",
    "description": "books",
}


def shipment(service: ServiceLevel | None = None, default_weight: Decimal | None = None, /, **changes: str) -> Shipment:
    return map_order(
        Fields(GOOD | changes), senders=Senders(SENDER), service=service, defaults=Defaults(default_weight)
    ).shipment


def errors(default_weight: Decimal | None = None, /, **changes: str) -> list[str]:
    with pytest.raises(RowInvalidError) as caught:
        shipment(None, default_weight, **changes)
    return [f"{error.code} {error.message}" for error in caught.value.errors]


def test_fields_become_a_shipment() -> None:
    made = shipment()
    assert made.ship_from == SENDER
    assert made.recipient.model_dump() == {
        "name": "Maya Okafor",
        "company": "Okafor, Ltd",
        "phone": "6175550101",
        "email": "maya@example.com",
        "address": {
            "lines": ("418 Alder Court", "Rear door"),
            "city": "Somerville",
            "state": "MA",
            "postal_code": "02143",
            "country": "US",
            "residential": True,
        },
    }
    (package,) = made.packages
    assert package.weight == Decimal("2.5")
    assert package.dimensions is not None
    assert package.dimensions.height == Decimal("4.5")
    assert made.service is ServiceLevel.SECOND_DAY_AIR
    assert (made.order_number, made.description) == ("T-1001", "books")


def test_what_may_be_blank_has_a_default() -> None:
    blank = dict.fromkeys(
        ("company", "phone", "email", "country", "residential", "length", "width", "height", "service", "order_number"),
        "",
    )
    made = shipment(**blank)
    assert made.recipient.address.country == "US"
    assert not made.recipient.address.residential
    assert made.service is ServiceLevel.GROUND
    assert made.packages[0].dimensions is None


def test_a_company_without_a_person_is_its_own_recipient() -> None:
    assert shipment(recipient_name="").recipient.name == "Okafor, Ltd"


def test_a_service_for_the_whole_job_overrides_the_rows_own_even_if_it_is_unknown() -> None:
    assert shipment(ServiceLevel.GROUND, service="pigeon").service is ServiceLevel.GROUND


def test_the_default_weight_counts_only_where_the_row_has_none() -> None:
    assert shipment(None, Decimal("1.5"), weight="").packages[0].weight == Decimal("1.5")
    assert shipment(None, Decimal("1.5")).packages[0].weight == Decimal("2.5")
    assert errors(Decimal(200), weight="") == [
        "E-2012 weight is '200': more than 150 lb, the most a package may weigh."
    ]


def test_every_problem_of_a_row_is_listed_at_once_in_the_order_of_the_fields() -> None:
    assert errors(
        recipient_name="",
        company="",
        address_1="",
        state="Atlantis",
        postal_code="2134",
        weight="-1",
        service="pigeon",
        email="nobody",
        residential="maybe",
    ) == [
        "E-2011 recipient_name is missing.",
        "E-2012 email is not usable: an e-mail address looks like name@example.com.",
        "E-2011 address_1 is missing.",
        "E-2012 state is 'Atlantis': there is no such state in US.",
        "E-2012 postal_code is '2134': 4 digits; a leading zero may have been lost.",
        "E-2012 residential is 'maybe': use residential or commercial.",
        "E-2012 weight is '-1': it is negative.",
        "E-2012 service is 'pigeon': there is no such service; some are ground, 2nd_day_air, next_day_air.",
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"postal_code": ""}, "E-2011 postal_code is missing."),
        ({"state": ""}, "E-2011 state is missing."),
        ({"city": " \u200b"}, "E-2011 city is missing."),
        ({"weight": ""}, "E-2011 weight is missing."),
        ({"weight": "0"}, "E-2012 weight is '0': it must be more than zero."),
        ({"weight": "150.01"}, "E-2012 weight is '150.01': more than 150 lb, the most a package may weigh."),
        ({"width": ""}, "E-2011 width is missing."),
        ({"width": "-1"}, "E-2012 width is '-1': it is negative."),
        (
            {"country": "Atlantis"},
            "E-2012 country is 'Atlantis': there is no such country; use its ISO code, such as US.",
        ),
        ({"recipient_name": "x" * 36}, "E-2012 recipient_name is not usable: 36 characters; at most 35."),
        ({"address_3": "x" * 36}, "E-2012 address_3 is not usable: 36 characters; at most 35."),
        ({"city": "x" * 31}, f"E-2012 city is '{'x' * 31}': 31 characters; at most 30."),
        ({"company": "a\x07b"}, "E-2012 company is not usable: it holds the control character U+0007."),
        ({"city": "a\x85b"}, "E-2012 city is 'a\\u0085b': it holds the control character U+0085."),
        (
            {"country": "FR", "state": "Île-de-France"},
            "E-2012 state is 'Île-de-France': 13 characters; at most 5: use its code, or none.",
        ),
    ],
)
def test_what_is_missing_or_invalid_is_told_with_its_reason(changes: dict[str, str], error: str) -> None:
    assert errors(**changes) == [error]


@pytest.mark.parametrize("country", ["AE", "HK", "Jamaica"])
def test_a_country_without_postal_codes_needs_none(country: str) -> None:
    made = shipment(country=country, postal_code="", state="", documents_only="yes")
    assert made.recipient.address.postal_code == ""


def test_a_problem_met_while_rendering_is_listed_with_the_others_and_only_once() -> None:
    with pytest.raises(RowInvalidError) as earlier:
        shipment(postal_code="2134")
    (problem,) = earlier.value.errors
    fields = Fields(GOOD | {"postal_code": "", "city": ""}, {"postal_code": problem})
    with pytest.raises(RowInvalidError) as caught:
        map_order(fields, senders=Senders(SENDER), service=None)
    assert [error.message.split()[0] for error in caught.value.errors] == ["city", "postal_code"]


def test_line_breaks_and_spaces_become_one_space_and_invisible_characters_go() -> None:
    made = shipment(address_1=" 418\r\nAlder\tCourt\u00a0 ", city="Somer\u200bville\ufeff")
    assert made.recipient.address.lines[0] == "418 Alder Court"
    assert made.recipient.address.city == "Somerville"


def test_a_long_value_is_cut_in_the_message() -> None:
    (error,) = errors(city="x" * 500)
    assert error == f"E-2012 city is '{'x' * 59}…': 500 characters; at most 30."


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=60)))
@example({"recipient_name": "\ud800"})
@example({"phone": "+", "weight": ".", "length": "9" * 9 + "." + "9" * 30})
def test_any_fields_become_a_shipment_or_errors_and_nothing_else(changes: dict[str, str]) -> None:
    try:
        made = shipment(**changes)
    except RowInvalidError as error:
        assert {body.code for body in error.errors} <= {"E-2011", "E-2012"}  # noqa: PT017 - either is right
    else:
        categories = {unicodedata.category(character) for character in made.model_dump_json()}
        assert categories.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


def test_the_limits_are_those_of_the_models() -> None:
    schemas = {model: model.model_json_schema()["properties"] for model in (Contact, Address, Shipment)}
    assert TEXT_LIMITS["recipient_name"] == schemas[Contact]["name"]["maxLength"]
    assert TEXT_LIMITS["company"] == schemas[Contact]["company"]["maxLength"]
    assert TEXT_LIMITS["email"] == schemas[Contact]["email"]["maxLength"]
    assert TEXT_LIMITS["city"] == schemas[Address]["city"]["maxLength"]
    assert TEXT_LIMITS["order_number"] == schemas[Shipment]["order_number"]["maxLength"]
    assert TEXT_LIMITS["description"] == schemas[Shipment]["description"]["maxLength"]
    lines = {TEXT_LIMITS[f"address_{number}"] for number in (1, 2, 3)}
    assert lines == {schemas[Address]["lines"]["items"]["maxLength"]}
