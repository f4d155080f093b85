"""Exports of platforms: which profile is picked, what becomes of their orders, and of rows that are one order."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from services.coordinator.database.new_rows import NewRow
from services.coordinator.intake.orders import OrderReader, number_in_source
from services.coordinator.mapping.mapping import built_in_mapping, parse_mapping
from services.coordinator.mapping.problems import RowInvalidError
from services.coordinator.mapping.profiles import PROFILES, choose_mapping, profiles
from services.coordinator.mapping.shipment import Defaults, Senders
from shared.contracts.source import CsvSource
from shared.errors import ErrorBody, TallyError
from shared.settings import SANDBOX_SHIP_FROM
from shared.shipping import Dimensions, ServiceLevel
from shared.sources.csv import open_csv

EXPORTS = Path(__file__).parents[2] / "samples" / "exports"
BOX = Dimensions(length=Decimal(12), width=Decimal(9), height=Decimal(4))


def reader(mapping: str, columns: tuple[str, ...]) -> OrderReader:
    return OrderReader(
        choose_mapping(mapping, columns, []), Senders(SANDBOX_SHIP_FROM), None, Defaults(Decimal("1.5"), BOX, "US")
    )


def orders(name: str, where: str | None = None) -> list[NewRow]:
    """The orders of a sample export, as intake makes them of it."""
    with open_csv(EXPORTS / name) as snapshot:
        how = reader("auto", snapshot.columns)
        found = list(snapshot.orders(where, how.mapping.order_column(snapshot.columns)))
    return [how.read(rows) for rows in found if not how.is_left_out(rows)]


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("shopify.csv", "shopify"),
        ("woocommerce.csv", "woocommerce"),
        ("amazon.txt", "amazon"),
        ("ebay.csv", "ebay"),
        ("etsy.csv", "etsy"),
        ("shipstation.csv", "shipstation"),
        ("../orders.csv", "default"),
    ],
)
def test_the_profile_is_picked_by_the_header(name: str, profile: str) -> None:
    with open_csv(EXPORTS / name) as snapshot:
        mapping = choose_mapping("auto", snapshot.columns, [])
        assert mapping.name == profile
        mapping.check(snapshot.columns)
        others = [each.name for each in profiles() if each.recognises(snapshot.columns)]
    assert others == [profile] * (profile != "default")


def test_every_profile_is_there_and_the_generic_one_has_two_names() -> None:
    assert {profile.name for profile in profiles()} == set(PROFILES)
    assert all(profile.match and profile.group_by for profile in profiles())
    assert choose_mapping("generic", [], []) == built_in_mapping("default")
    assert choose_mapping("shopify", [], []) == built_in_mapping("shopify")


def test_a_shopify_order_is_one_shipment_whatever_the_number_of_its_rows() -> None:
    found = orders("shopify.csv")
    assert [(row.source_row, [place.source_row for place in row.others]) for row in found] == [
        (1, [2, 3]),
        (4, []),
        (5, [6]),
        (7, []),
    ]
    first, second, third, fourth = (row.shipment for row in found)
    assert first.recipient.address.model_dump() == {
        "lines": ("418 Alder Court", "Apt 3B"),
        "city": "Somerville",
        "state": "MA",
        "postal_code": "02143",
        "country": "US",
        "residential": False,
    }
    assert (first.recipient.phone, first.order_number) == ("16175550101", "#1001")
    assert first.description == "Canvas Tote - Natural"
    assert [shipment.service for shipment in (first, second, third, fourth)] == [
        ServiceLevel.GROUND,
        ServiceLevel.GROUND,
        ServiceLevel.SECOND_DAY_AIR,
        ServiceLevel.STANDARD,
    ]
    assert (fourth.recipient.address.country, fourth.recipient.address.postal_code) == ("CA", "G1R 4P5")
    assert [shipment.customs is None for shipment in (first, second, third)] == [True, True, True]
    assert fourth.customs is not None
    assert [line.model_dump(mode="json") for line in fourth.customs.lines] == [
        {
            "description": "Canvas Tote - Black",
            "origin": "US",
            "quantity": 1,
            "unit_value": "18.00",
            "hs_code": "",
            "sku": "CANVAS",
        }
    ]
    assert (first.packages[0].weight, first.packages[0].dimensions) == (Decimal("1.5"), BOX)


def test_a_condition_is_asked_of_an_orders_first_row() -> None:
    found = orders("shopify.csv", "\"Shipping Province\" = 'MA'")
    assert [(row.source_row, len(row.others)) for row in found] == [(1, 2)]


def test_amazons_rows_that_continue_an_order_belong_to_it_and_quotes_are_text() -> None:
    found = orders("amazon.txt")
    assert [(row.source_row, len(row.others)) for row in found] == [(1, 0), (2, 1), (4, 1)]
    assert [row.shipment.description for row in found] == ['12" Cast Iron Pan', '"Harbor" Kettle', "Trivet"]
    assert found[0].shipment.recipient.phone == "15125550133"
    assert found[1].shipment.recipient.address.state == "VT"


def test_ebays_summary_row_has_the_address_and_its_last_lines_are_no_orders() -> None:
    found = orders("ebay.csv")
    assert [(row.source_row, len(row.others)) for row in found] == [(1, 0), (2, 2), (5, 0)]
    assert found[1].shipment.recipient.name == "Viktor Marković"
    assert found[0].shipment.recipient.address.country == "US"


def test_ebays_own_column_says_which_orders_are_shipped() -> None:
    with open_csv(EXPORTS / "ebay.csv") as snapshot:
        found = [number_in_source(rows) for rows in snapshot.orders(None, "Order Number")]
    assert found[:3] == ["", "", "1ZTALLY10300000016"]


def test_etsys_items_repeat_the_address() -> None:
    found = orders("etsy.csv")
    assert [(row.shipment.order_number, len(row.others)) for row in found] == [("3310000001", 1), ("3310000002", 0)]
    assert found[0].shipment.recipient.address.postal_code == "06103"


def test_woocommerces_order_without_a_shipping_address_goes_to_the_billing_address() -> None:
    first, second = orders("woocommerce.csv")
    assert (first.shipment.recipient.name, first.shipment.recipient.address.state) == ("Samuel Adeyemi", "CO")
    assert (second.shipment.recipient.name, second.shipment.recipient.address.state) == ("Daniel Kim", "CA")
    assert [place.source_row for place in second.others] == [3]


def test_woocommerces_other_extension_is_understood_as_well() -> None:
    shipping = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
    header = ["order_id", "order_number", "status", "billing_first_name", *(f"shipping_{name}" for name in shipping)]
    mapping = choose_mapping("auto", header, [])
    assert mapping.name == "woocommerce"
    row = dict.fromkeys(header, "") | {
        "shipping_first_name": "Ada",
        "shipping_last_name": "King",
        "shipping_address_1": "1 Way",
        "shipping_state": "US-CA",
        "shipping_postcode": "'94107",
    }
    texts = mapping.render(row).texts
    assert (texts["recipient_name"], texts["state"], texts["postal_code"]) == ("Ada King", "US-CA", "'94107")


def test_shipstations_weights_are_ounces() -> None:
    first, second = orders("shipstation.csv")
    assert [row.shipment.packages[0].weight for row in (first, second)] == [Decimal("2.4"), Decimal("4.0")]
    assert (second.shipment.recipient.company, second.shipment.service) == ("Atlas Supply, Inc.", ServiceLevel.GROUND)


def problems(tmp_path: Path, text: str, mapping: str) -> list[ErrorBody]:
    """What is wrong with the one order in a file."""
    path = tmp_path / "orders.csv"
    path.write_text(text)
    with open_csv(path, CsvSource(path="orders.csv")) as snapshot:
        compiled = parse_mapping("own.yaml", mapping.encode())
        how = OrderReader(compiled, Senders(SANDBOX_SHIP_FROM), None, Defaults(Decimal(1)))
        (rows,) = snapshot.orders(None, compiled.order_column(snapshot.columns))
    with pytest.raises(RowInvalidError) as caught:
        assert how.is_left_out(rows) or how.read(rows)
    return list(caught.value.errors)


OWN = """\
group_by: [order, order number]
fields:
  recipient_name: '{{ name }}'
  address_1: '{{ street }}'
  city: '{{ city }}'
  state: MA
  postal_code: '{{ zip }}'
  description: '{{ item }}'
"""
HEADER = "order,name,street,city,zip,item\n"


def test_rows_of_one_order_that_disagree_on_where_it_goes_are_refused(tmp_path: Path) -> None:
    rows = "1,Ada,1 Way,Bath,02143,Mug\n1,,,,,\n1,ADA ,2 Way,Bath,02143,Pan\n"
    (error,) = problems(tmp_path, HEADER + rows, OWN)
    assert (error.code, error.message) == ("E-2014", "address_1 differs between rows 1 and 3, which are one order.")


def test_a_row_that_has_slipped_is_named_wherever_in_its_order_it_is(tmp_path: Path) -> None:
    (error,) = problems(tmp_path, HEADER + "1,Ada,1 Way,Bath,02143,Mug\n1,,,,,Pan,12 in,x\n", OWN)
    assert (error.code, error.row) == ("E-2013", 2)


def test_an_answer_that_is_neither_yes_nor_no_leaves_nothing_out(tmp_path: Path) -> None:
    mapping = OWN + "skip: '{{ item }}'\n"
    (error,) = problems(tmp_path, HEADER + "1,Ada,1 Way,Bath,02143,Mug\n", mapping)
    assert (error.code, error.message) == ("E-2012", "skip is 'Mug': use yes or no.")


def test_a_column_to_group_by_that_is_not_there_is_told() -> None:
    with pytest.raises(TallyError) as caught:
        parse_mapping("own.yaml", OWN.encode()).check(["name", "street", "city", "zip", "item"])
    assert caught.value.body.code == "E-2003"
    assert "Field group_by of mapping own.yaml names column order or order number" in caught.value.body.message


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("group_by: []\n", "line 9: group_by names no header"),
        ("group_by:\n  a: b\n", "line 10: group_by must be text; put a template in quotes"),
        ("match: order\n", "line 9: match is a list of headers"),
        ("skip: [a]\n", "line 9: skip must be text; put a template in quotes"),
        ("skip: '{{ a'\n", "line 9, field skip: unexpected end of template"),
        ("skip: a\nskip: b\n", "line 10: skip was given before"),
    ],
)
def test_what_else_a_mapping_says_is_checked_as_its_fields_are(more: str, reason: str) -> None:
    text = OWN.removeprefix("group_by: [order, order number]\n") + "  country: US\n" + more
    with pytest.raises(TallyError) as caught:
        parse_mapping("own.yaml", text.encode())
    assert caught.value.body.message.startswith(f"Mapping own.yaml is invalid: {reason}")
