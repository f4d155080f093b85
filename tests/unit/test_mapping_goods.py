"""Orders of several parcels, and orders that go abroad, from their fields to a shipment."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.coordinator.mapping import Defaults, Fields, RowInvalidError, Senders, map_order
from services.coordinator.mapping.fields import CUSTOMS_LINE, TEXT_LIMITS
from shared.shipping import (
    Address,
    Contact,
    Customs,
    CustomsLine,
    Dimensions,
    Money,
    Package,
    ServiceLevel,
    Shipment,
    Signature,
    Terms,
)

AUSTIN = Contact(
    name="Warehouse",
    phone="5125550100",
    address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"),
)
RENO = Contact(name="West", address=Address(lines=("2 Dock",), city="Reno", state="NV", postal_code="89501"))
BERLIN = Contact(
    name="Lager",
    phone="+49305550100",
    address=Address(lines=("Hafenweg 1",), city="Berlin", postal_code="10115", country="DE"),
)
SENDERS = Senders(AUSTIN, {"Reno West": RENO, "berlin": BERLIN})
HOME = {
    "recipient_name": "Maya Okafor",
    "address_1": "418 Alder Court",
    "city": "Somerville",
    "state": "MA",
    "postal_code": "02143",
    "weight": "2.5",
    "order_number": "T-1001",
}
ABROAD = {
    **HOME,
    "city": "Ottawa",
    "state": "ON",
    "postal_code": "K1A 0B1",
    "country": "CA",
    "phone": "613-555-0123",
    "customs_description": "Hardback books",
    "customs_hs_code": "4901.99",
    "customs_origin": "United States",
    "customs_quantity": "3",
    "customs_value": "24.50",
}
BOOKS = CustomsLine(
    description="Hardback books", hs_code="490199", origin="US", quantity=3, unit_value=Decimal("24.50")
)


ON_SATURDAYS = "2nd_day_air, next_day_air, next_day_air_early, worldwide_express, worldwide_express_plus"


def shipment(fields: dict[str, str], defaults: Defaults | None = None) -> Shipment:
    return map_order(Fields(fields), senders=SENDERS, service=None, defaults=defaults).shipment


def errors(fields: dict[str, str] | Fields, defaults: Defaults | None = None) -> list[str]:
    given = fields if isinstance(fields, Fields) else Fields(fields)
    with pytest.raises(RowInvalidError) as caught:
        map_order(given, senders=SENDERS, service=None, defaults=defaults)
    return [f"{error.row or ''} {error.code} {error.message}".strip() for error in caught.value.errors]


def test_so_many_parcels_alike_have_the_weight_size_and_declared_value_of_one() -> None:
    made = shipment(HOME | {"packages": "3", "declared_value": "$120", "length": "9", "width": "6", "height": "2"})
    box = Dimensions(length=Decimal(9), width=Decimal(6), height=Decimal(2))
    one = Package(weight=Decimal("2.5"), dimensions=box, declared_value=Money(amount=Decimal(120)))
    assert made.packages == (one, one, one)


def test_each_row_may_be_a_parcel_and_its_problems_name_it() -> None:
    parts = ((4, Fields({"weight": "3"})), (5, Fields({"weight": "5", "packages": "2"})), (6, Fields({})))
    made = map_order(
        Fields({**HOME, "weight": ""}, packages=parts), senders=SENDERS, service=None, defaults=Defaults(Decimal(1))
    ).shipment
    assert [package.weight for package in made.packages] == [3, 5, 5, 1]
    assert errors(Fields({**HOME, "city": ""}, packages=parts)) == [
        "E-2011 city is missing.",
        "6 E-2011 weight is missing.",
    ]


def test_what_an_order_asks_for_besides_is_read() -> None:
    made = shipment(
        HOME
        | {
            "service": "Next Day Air",
            "signature": "adult signature required",
            "saturday_delivery": "yes",
            "reference": "PO 7",
            "cost_centre": "CC-42",
            "ship_from": "RENO-WEST",
        }
    )
    assert (made.signature, made.saturday_delivery) == (Signature.ADULT, True)
    assert made.own_reference == "T-1001 / PO 7 / CC-42"
    assert (made.ship_from, made.shipper) == (RENO, AUSTIN)
    assert shipment(HOME).shipper is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"packages": "0"}, "E-2012 packages is '0': it must be a whole number, at least 1."),
        ({"packages": "2.5"}, "E-2012 packages is '2.5': it must be a whole number, at least 1."),
        ({"packages": "201"}, "E-2012 packages is '201': at most 200 in one shipment."),
        (
            {"declared_value": "1,200"},
            "E-2012 declared_value is '1,200': a comma may mean thousands or a decimal; write a decimal point.",
        ),
        ({"declared_value": "1.234"}, "E-2012 declared_value is '1.234': it has more than two decimals."),
        ({"declared_value": "0"}, "E-2012 declared_value is '0': it must be more than zero."),
        ({"declared_value": "50000.01"}, "E-2012 declared_value is '50000.01': at most 50,000 USD for a parcel."),
        ({"service": "14"}, "E-2011 phone is missing: the carrier wants one for next_day_air_early."),
        ({"declared_value": "-1"}, "E-2012 declared_value is '-1': it is negative."),
        ({"declared_value": "9 EUR"}, "E-2012 declared_value is '9 EUR': it is in EUR, and the currency is USD."),
        (
            {"declared_value": "much"},
            "E-2012 declared_value is 'much': an amount is a number and perhaps a currency, such as 24.50 USD.",
        ),
        (
            {"declared_value": "9", "currency": "Euro"},
            "E-2012 currency is 'Euro': a currency is written by its ISO code, such as USD.",
        ),
        ({"signature": "on file"}, "E-2012 signature is 'on file': use none, direct or adult."),
        (
            {"saturday_delivery": "yes", "service": "2nd Day Air A.M."},
            f"E-2012 saturday_delivery is 'yes': 2nd_day_air_am is not delivered on Saturdays; {ON_SATURDAYS} are.",
        ),
        (
            {"ship_from": "Boise"},
            "E-2012 ship_from is 'Boise': there is no such warehouse; known are: Reno West, berlin.",
        ),
        (
            {"order_number": "N" * 30, "cost_centre": "CCC"},
            "E-2012 cost_centre is 'CCC': order_number and cost_centre have 36 characters together; at most 35.",
        ),
    ],
)
def test_what_does_not_fit_is_told_by_its_field(changes: dict[str, str], error: str) -> None:
    assert errors(HOME | changes) == [error]


def test_a_shipper_needs_a_phone_for_parcels_abroad_only() -> None:
    silent = Senders(AUSTIN.model_copy(update={"phone": ""}))
    assert map_order(Fields(HOME), senders=silent, service=None).shipment.ship_from.phone == ""
    with pytest.raises(RowInvalidError) as caught:
        map_order(Fields(ABROAD), senders=silent, service=None)
    (error,) = caught.value.errors
    assert error.message == "ship_from is 'Warehouse': it has no phone, which the carrier wants for parcels to CA."
    assert error.action == "Set its phone in the settings."


def test_a_currency_nobody_needs_is_not_looked_at() -> None:
    assert shipment(HOME | {"currency": "dollars"}).packages[0].declared_value is None


def test_goods_to_canada_go_by_ups_standard_with_what_customs_is_told() -> None:
    made = shipment(ABROAD | {"terms": "dap", "reason_for_export": "Intercompany data", "currency": "cad"})
    assert made.service is ServiceLevel.STANDARD
    assert made.is_international
    assert made.customs == Customs(lines=(BOOKS,), currency="CAD", reason="INTERCOMPANYDATA", terms=Terms.DAP)
    assert made.customs.total == Money(amount=Decimal("73.50"), currency="CAD")


def test_several_kinds_of_goods_are_numbered_fields_or_rows() -> None:
    mugs = {"description": "Mugs", "quantity": "2", "value": "14", "origin": "CN"}
    told = [BOOKS, CustomsLine(description="Mugs", origin="CN", quantity=2, unit_value=Decimal(14))]
    in_one_row = shipment(ABROAD | {f"customs_{name}_2": text for name, text in mugs.items()})
    assert in_one_row.customs == Customs(lines=tuple(told))
    first = {field: ABROAD.get(field, "") for field in CUSTOMS_LINE}
    lines = ((2, Fields(first)), (3, Fields({f"customs_{name}": text for name, text in mugs.items()})))
    plain = {name: text for name, text in ABROAD.items() if name not in CUSTOMS_LINE}
    in_two = map_order(Fields(plain, lines=lines), senders=SENDERS, service=None).shipment
    assert in_two.customs == in_one_row.customs


def test_goods_abroad_without_a_line_for_customs_are_refused_unless_they_are_documents() -> None:
    plain = {name: text for name, text in ABROAD.items() if name not in CUSTOMS_LINE}
    refusal = "E-2011 customs_description is missing: goods to CA need a line for customs each."
    assert errors(plain) == [refusal]
    assert errors(plain | {"customs_origin": "US"}) == [refusal]
    made = shipment(plain | {"documents_only": "yes"})
    assert (made.documents_only, made.customs) == (True, None)
    assert errors(ABROAD | {"documents_only": "yes"}) == [
        "E-2012 documents_only is 'yes': the order has lines for customs; leave out one or the other."
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"phone": ""}, "E-2011 phone is missing: the carrier wants one for parcels to CA."),
        ({"customs_description": ""}, "E-2011 customs_description is missing."),
        ({"customs_quantity": ""}, "E-2011 customs_quantity is missing."),
        ({"customs_value": ""}, "E-2011 customs_value is missing."),
        ({"customs_origin": ""}, "E-2011 customs_origin is missing."),
        (
            {"customs_origin": "Atlantis"},
            "E-2012 customs_origin is 'Atlantis': there is no such country; use its ISO code, such as US.",
        ),
        ({"customs_quantity": "1/2"}, "E-2012 customs_quantity is '1/2': it must be a whole number, at least 1."),
        (
            {"customs_hs_code": "mug"},
            "E-2012 customs_hs_code is 'mug': an HS code has 6 to 15 digits, such as 4901.99.",
        ),
        (
            {"customs_hs_code": "10121"},
            "E-2012 customs_hs_code is '10121': 5 digits; a leading zero may have been lost.",
        ),
        ({"customs_value_2": "4"}, "E-2011 customs_description_2 is missing."),
        (
            {"customs_description_3": "x" * 106},
            f"E-2012 customs_description_3 is '{'x' * 59}…': 106 characters; at most 105.",
        ),
        (
            {"terms": "DDU"},
            f"E-2012 terms is 'DDU': there are no such terms; use one of {', '.join(Terms)}.",
        ),
        (
            {"country": "Germany", "state": "", "postal_code": "10115"},
            "E-2011 service is missing: nothing goes from US to DE by ground.",
        ),
    ],
)
def test_what_customs_or_the_carrier_lack_abroad_is_told(changes: dict[str, str], error: str) -> None:
    assert error in errors(ABROAD | changes)


def test_every_problem_of_a_row_abroad_is_told_at_once_in_the_order_of_the_fields() -> None:
    wrong = ABROAD | {"city": "", "phone": "", "customs_value": "x", "customs_quantity_2": "0"}
    assert [error.split()[1] for error in errors(wrong, Defaults(origin="US"))] == [
        "phone",
        "city",
        "customs_value",
        "customs_description_2",
        "customs_quantity_2",
        "customs_value_2",
    ]


def test_what_is_for_customs_does_not_matter_at_home() -> None:
    made = shipment(HOME | {"customs_value": "x", "terms": "Net 30", "documents_only": "maybe"})
    assert (made.customs, made.documents_only, made.is_international) == (None, False, False)


@pytest.mark.parametrize(
    ("sender", "place", "needs"),
    [
        ("", {"state": "PR", "city": "San Juan", "postal_code": "00901"}, False),
        ("", {"country": "PR", "state": "", "city": "San Juan", "postal_code": "00901"}, False),
        ("", {"state": "VI", "city": "Charlotte Amalie", "postal_code": "00802"}, True),
        ("berlin", {"country": "France", "state": "", "city": "Lille", "postal_code": "59000"}, False),
        ("berlin", {"country": "Norway", "state": "", "city": "Oslo", "postal_code": "0150"}, True),
        ("berlin", {}, True),
    ],
)
def test_customs_is_told_where_a_border_is_crossed(sender: str, place: dict[str, str], needs: bool) -> None:
    fields = {**ABROAD, **HOME, "country": "US", **place, "ship_from": sender, "service": "worldwide saver"}
    made = shipment(fields)
    assert (made.is_international, made.customs is not None) == (needs, needs)


def test_an_account_without_an_address_of_its_own_leaves_it_to_the_rows() -> None:
    rows = Senders(None, {"reno": RENO})
    made = map_order(Fields(HOME | {"ship_from": "Reno"}), senders=rows, service=None).shipment
    assert (made.ship_from, made.shipper) == (RENO, None)
    with pytest.raises(RowInvalidError) as caught:
        map_order(Fields(HOME), senders=rows, service=None)
    assert [error.message for error in caught.value.errors] == ["ship_from is missing."]


def test_the_limits_are_those_of_the_models() -> None:
    shipping, line = Shipment.model_json_schema()["properties"], CustomsLine.model_json_schema()["properties"]
    assert TEXT_LIMITS["reference"] == shipping["reference"]["maxLength"]
    assert TEXT_LIMITS["cost_centre"] == shipping["cost_centre"]["maxLength"]
    assert TEXT_LIMITS["customs_description"] == line["description"]["maxLength"]
    assert TEXT_LIMITS["customs_sku"] == line["sku"]["maxLength"]
    assert TEXT_LIMITS["reason_for_export"] == Customs.model_json_schema()["properties"]["reason"]["maxLength"]
