from __future__ import annotations

import csv
from pathlib import Path

import pytest

from services.coordinator.mapping import Senders, load_mapping, map_order
from shared.errors import TallyError
from shared.shipping import Address, Contact, Shipment

SENDER = Contact(name="Warehouse", address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"))
DEFAULT = load_mapping("default", [])
ADDRESS = {"Name": "Ada", "Address": "1 Way", "City": "Boston", "State": "MA", "ZIP": "02134", "Weight": "2"}


def shipment(row: dict[str, str]) -> Shipment:
    DEFAULT.check(list(row))
    return map_order(DEFAULT.render(row), senders=Senders(SENDER), service=None).shipment


@pytest.mark.parametrize(
    ("field", "headers"),
    [
        (
            "recipient_name",
            ["Name", "Recipient", "Ship To", "Customer", "Full Name", "Shipping Name"],
        ),
        ("company", ["Company", "COMPANY NAME", "Organisation"]),
        ("address_1", ["Address", "Address 1", "Street", "Address Line 1", "address_1", "Shipping Address1"]),
        ("address_2", ["Apt", "Suite", "Address 2", "Address Line 2", "Apt/Suite", "address2"]),
        ("address_3", ["Address 3", "address_line_3"]),
        ("city", ["City", "Town", "Ship-To City"]),
        ("state", ["State", "Province", "Region", "State/Province"]),
        ("postal_code", ["ZIP", "Zip Code", "Postal Code", "Postcode", "zip_code", "ZIP/Postal Code"]),
        ("country", ["Country", "Country Code"]),
        ("phone", ["Phone", "Phone Number", "Telephone"]),
        ("email", ["Email", "E-mail", "Email Address"]),
        ("service", ["Service", "Shipping Method", "Ship Via", "service_level"]),
        ("order_number", ["Order", "Order ID", "Order Number", "Order #", "order_no", "Reference"]),
        ("residential", ["Residential", "Address Type"]),
        ("length", ["Length", "Length (in)"]),
        ("description", ["Description", "Contents"]),
    ],
)
def test_usual_headers_are_recognised_whatever_their_case_and_punctuation(field: str, headers: list[str]) -> None:
    for header in headers:
        assert DEFAULT.render({header: "value"}).texts[field] == "value", header


@pytest.mark.parametrize(
    ("header", "value", "pounds"),
    [
        ("Weight", "2.41", "2.5"),
        ("weight", "16 oz", "1.0"),
        ("Weight (lb)", "2", "2.0"),
        ("Weight lbs", "2", "2.0"),
        ("Weight oz", "17", "1.1"),
        ("Weight (kg)", "1", "2.3"),
        ("weight_g", "500", "1.2"),
        ("Weight (oz)", "2 lb", "2.0"),
    ],
)
def test_a_weights_unit_comes_from_the_value_or_the_header(header: str, value: str, pounds: str) -> None:
    assert DEFAULT.render({header: value}).texts["weight"] in {pounds, value}
    row = {column: text for column, text in ADDRESS.items() if column != "Weight"} | {header: value}
    assert str(shipment(row).packages[0].weight) == pounds


def test_a_weights_unit_may_have_a_column_of_its_own() -> None:
    assert str(shipment(ADDRESS | {"Weight": "32", "Weight Unit": "oz"}).packages[0].weight) == "2.0"
    assert str(shipment(ADDRESS | {"Weight": "32", "Weight Unit": ""}).packages[0].weight) == "32.0"


@pytest.mark.parametrize(
    ("header", "value", "residential"),
    [
        ("Residential", "yes", True),
        ("Residential", "no", False),
        ("Residential", "", False),
        ("Address Type", "Residential", True),
        ("Address Type", "commercial", False),
        ("Commercial", "yes", False),
        ("Commercial", "no", True),
        ("Commercial", "Commercial", False),
        ("Commercial", "", False),
    ],
)
def test_residential_and_commercial_columns_say_the_opposite(header: str, value: str, residential: bool) -> None:
    assert shipment(ADDRESS | {header: value}).recipient.address.residential is residential


def test_first_and_last_name_make_a_recipient() -> None:
    row = {column: text for column, text in ADDRESS.items() if column != "Name"}
    assert shipment(row | {"First Name": "Ada", "Last Name": "King"}).recipient.name == "Ada King"


def test_a_long_description_is_cut_to_what_a_label_takes() -> None:
    assert shipment(ADDRESS | {"Description": "x" * 80}).description == "x" * 50


def test_a_source_without_a_recognised_address_is_refused_once() -> None:
    with pytest.raises(TallyError) as caught:
        DEFAULT.check(["a", "b"])
    error = caught.value.body
    assert error.code == "E-2003"
    assert error.message == (
        "Field recipient_name of mapping default names column recipient name or recipient or ship to name"
        " or one of 13 others, which the source does not have."
    )
    assert not any(detail.action for detail in error.details)
    assert [detail.message.split()[1] for detail in error.details] == ["address_1", "city"]


def test_the_sample_orders_all_ship_and_differ(samples: Path) -> None:
    with (samples / "orders.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shipments = [shipment(row) for row in rows]
    assert len({made.order_number for made in shipments}) == len({made.recipient.name for made in shipments}) == 30
    assert len({made.service for made in shipments}) == 3
    assert {made.recipient.address.residential for made in shipments} == {True, False}
    assert sum(row["state"] == "CA" for row in rows) >= 5
    assert sum(made.recipient.address.postal_code.startswith("0") for made in shipments) >= 8
    assert all(made.recipient.phone[-7:-2] == "55501" for made in shipments)


def test_the_sample_mapping_says_the_same_of_the_sample_orders_as_the_default(samples: Path) -> None:
    own = load_mapping("mapping.yaml", [samples])
    with (samples / "orders.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own.check(list(rows[0]))
    for row in rows:
        assert map_order(own.render(row), senders=Senders(SENDER), service=None).shipment == shipment(row)


@pytest.fixture
def samples() -> Path:
    return Path(__file__).parents[2] / "samples"
