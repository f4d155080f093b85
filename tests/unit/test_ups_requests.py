"""What UPS is asked: names, places and lengths of every field."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shipper.carriers.carrier import DateWindow
from services.shipper.carriers.ups.rating import rate_call
from services.shipper.carriers.ups.requests import (
    number,
    recovery_by_reference_call,
    recovery_call,
    ship_call,
    track_call,
    trans_id,
)
from services.shipper.carriers.ups.services import code_of, level_of
from shared.shipping import Contact, Dimensions, Package, ServiceLevel, Shipment
from tests.unit import ups_bodies as ups

REFERENCES = [{"Value": ups.REFERENCE}, {"Value": "SO-1001"}]
TODAY = date(2026, 11, 21)


def ship(shipment: Shipment, image_format: Any = "GIF") -> dict[str, Any]:
    call = ship_call(shipment, ups.REFERENCE, ups.ACCOUNT, image_format, TODAY)
    body: dict[str, Any] = json.loads(call.body)["ShipmentRequest"]
    return body


def rate(shipment: Shipment) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(rate_call(shipment, ups.ACCOUNT).body)["RateRequest"]
    return body


def in_country(contact: Contact, country: str, **changes: Any) -> Contact:
    return contact.model_copy(
        update={"address": contact.address.model_copy(update={"country": country, "state": "", **changes})}
    )


def test_a_shipment_as_ups_wants_it() -> None:
    box = Dimensions.model_validate({"length": "10", "width": "8.5", "height": "4"})
    parcel = Package(weight=Decimal("12.5"), dimensions=box, description="Books")
    recipient = ups.contact(company="Müller & Co", email="zoe@example.org", residential=True)
    asked = ship(ups.shipment(packages=(parcel,), recipient=recipient, description="Books"))
    assert asked == {
        "Request": {
            "RequestOption": "nonvalidate",
            "SubVersion": "2205",
            "TransactionReference": {"CustomerContext": ups.REFERENCE},
        },
        "Shipment": {
            "Description": "Books",
            "Shipper": {
                "Name": "Byron Goods",
                "AttentionName": "Ada Byron",
                "ShipperNumber": ups.ACCOUNT,
                "Phone": {"Number": "5125550100"},
                "Address": {
                    "AddressLine": ["100 Congress Ave"],
                    "City": "Austin",
                    "StateProvinceCode": "TX",
                    "PostalCode": "78701",
                    "CountryCode": "US",
                },
            },
            "ShipTo": {
                "Name": "Müller & Co",
                "AttentionName": "Zoë Müller",
                "Phone": {"Number": "4135550101"},
                "EMailAddress": "zoe@example.org",
                "Address": {
                    "AddressLine": ["7 Alder Court", "Apt 4"],
                    "City": "Agawam",
                    "StateProvinceCode": "MA",
                    "PostalCode": "010012345",
                    "CountryCode": "US",
                    "ResidentialAddressIndicator": "Y",
                },
            },
            "PaymentInformation": {"ShipmentCharge": [{"Type": "01", "BillShipper": {"AccountNumber": ups.ACCOUNT}}]},
            "ShipmentRatingOptions": {"NegotiatedRatesIndicator": "Y"},
            "Service": {"Code": "03"},
            "Package": [
                {
                    "Description": "Books",
                    "Packaging": {"Code": "02"},
                    "Dimensions": {
                        "UnitOfMeasurement": {"Code": "IN"},
                        "Length": "10",
                        "Width": "8.5",
                        "Height": "4",
                    },
                    "PackageWeight": {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": "12.5"},
                    "ReferenceNumber": REFERENCES,
                }
            ],
        },
        "LabelSpecification": {
            "LabelImageFormat": {"Code": "GIF"},
            "HTTPUserAgent": "Mozilla/4.5",
            "LabelStockSize": {"Height": "6", "Width": "4"},
        },
    }


def test_what_is_not_known_is_left_out() -> None:
    asked = ship(ups.shipment(recipient=ups.contact(phone="", state="")))["Shipment"]
    assert "Description" not in asked
    assert asked["ShipTo"].keys() == {"Name", "AttentionName", "Address"}
    assert asked["ShipTo"]["Address"].keys() == {"AddressLine", "City", "PostalCode", "CountryCode"}
    assert "Dimensions" not in asked["Package"][0]


def test_a_ship_call_must_not_be_repeated_and_the_others_may() -> None:
    window = DateWindow(date(2026, 11, 20), date(2026, 11, 22))
    assert not ship_call(ups.shipment(), ups.REFERENCE, ups.ACCOUNT, "GIF", TODAY).repeatable
    assert rate_call(ups.shipment(), ups.ACCOUNT).repeatable
    assert recovery_call(ups.TRACKING_NUMBER, "GIF").repeatable
    assert track_call(ups.REFERENCE, window, ups.ACCOUNT).repeatable


def test_rating_and_shipping_ask_for_the_same_under_their_own_names() -> None:
    shipment = ups.shipment(recipient=ups.contact(residential=True))
    shipped, rated = ship(shipment)["Shipment"], rate(shipment)["Shipment"]
    assert rated["Package"] == [
        {"PackagingType": {"Code": "02"}, "PackageWeight": shipped["Package"][0]["PackageWeight"]}
    ]
    assert rated["PaymentDetails"] == shipped["PaymentInformation"]
    assert rated["ShipTo"]["Address"] == shipped["ShipTo"]["Address"]
    assert rated["Shipper"]["ShipperNumber"] == ups.ACCOUNT
    assert rated["Service"] == shipped["Service"]
    assert rated["ShipmentRatingOptions"] == {"NegotiatedRatesIndicator": "Y"}


@pytest.mark.parametrize(
    ("origin", "destination", "per_package"),
    [("US", "US", True), ("PR", "PR", True), ("US", "PR", False), ("PR", "US", False), ("US", "CA", False)],
)
def test_references_go_where_the_lane_has_them(origin: str, destination: str, per_package: bool) -> None:
    shipment = ups.shipment(
        ship_from=in_country(ups.WAREHOUSE, origin), recipient=in_country(ups.contact(), destination)
    )
    asked = ship(shipment)["Shipment"]
    assert asked.get("ReferenceNumber") == (None if per_package else REFERENCES)
    assert asked["Package"][0].get("ReferenceNumber") == (REFERENCES if per_package else None)


def test_every_parcel_carries_the_references() -> None:
    parcels = (Package(weight=Decimal(1)), Package(weight=Decimal(2)))
    asked = ship(ups.shipment(packages=parcels))["Shipment"]["Package"]
    assert [parcel["ReferenceNumber"] for parcel in asked] == [REFERENCES, REFERENCES]


@pytest.mark.parametrize("order_number", ["", ups.REFERENCE])
def test_a_reference_is_written_once(order_number: str) -> None:
    asked = ship(ups.shipment(order_number=order_number))["Shipment"]
    assert asked["Package"][0]["ReferenceNumber"] == [{"Value": ups.REFERENCE}]


def test_puerto_rico_written_as_a_state_is_the_country_ups_knows() -> None:
    recipient = in_country(ups.contact(), "US", state="PR", postal_code="00907-1234")
    address = ship(ups.shipment(recipient=recipient))["Shipment"]["ShipTo"]["Address"]
    assert (address["CountryCode"], address["PostalCode"]) == ("PR", "009071234")


def test_a_foreign_postal_code_stays_as_it_is() -> None:
    recipient = in_country(ups.contact(), "PL", postal_code="00-001")
    assert ship(ups.shipment(recipient=recipient))["Shipment"]["ShipTo"]["Address"]["PostalCode"] == "00-001"


def test_a_foreign_phone_keeps_its_country_code() -> None:
    recipient = in_country(ups.contact(phone="+15551234567"), "GB")
    assert ship(ups.shipment(recipient=recipient))["Shipment"]["ShipTo"]["Phone"] == {"Number": "15551234567"}


def test_only_a_gif_label_names_a_user_agent() -> None:
    assert "HTTPUserAgent" in ship(ups.shipment())["LabelSpecification"]
    zpl = ship(ups.shipment(), "ZPL")["LabelSpecification"]
    assert zpl == {"LabelImageFormat": {"Code": "ZPL"}, "LabelStockSize": {"Height": "6", "Width": "4"}}


def test_labels_are_recovered_by_reference_and_shipper_or_by_number() -> None:
    by_reference = json.loads(recovery_by_reference_call(ups.REFERENCE, ups.ACCOUNT, "GIF").body)
    by_number = json.loads(recovery_call(ups.TRACKING_NUMBER, "GIF").body)
    assert by_reference["LabelRecoveryRequest"]["ReferenceValues"] == {
        "ReferenceNumber": {"Value": ups.REFERENCE},
        "ShipperNumber": ups.ACCOUNT,
    }
    assert by_number["LabelRecoveryRequest"]["TrackingNumber"] == ups.TRACKING_NUMBER
    assert by_number["LabelRecoveryRequest"]["LabelSpecification"]["LabelImageFormat"] == {"Code": "GIF"}


def test_track_names_its_window() -> None:
    call = track_call("A/B 1", DateWindow(date(2026, 11, 20), date(2026, 12, 1)), ups.ACCOUNT)
    url = urlsplit(call.target)
    assert url.path == "/api/track/v1/reference/details/A%2FB%201"
    assert parse_qs(url.query) == {
        "locale": ["en_US"],
        "fromPickUpDate": ["20261120"],
        "toPickUpDate": ["20261201"],
        "shipperNum": [ups.ACCOUNT],
        "refNumType": ["SmallPackage"],
    }


def test_the_transaction_id_is_the_reference_within_32_characters() -> None:
    call = ship_call(ups.shipment(), ups.REFERENCE, ups.ACCOUNT, "GIF", TODAY)
    assert call.trans_id == ups.REFERENCE
    assert trans_id("TLY" + "0" * 31 + "7") == "0" * 31 + "7"
    assert trans_id("Zoë\r\nA-1") == "ZoA1"


@given(st.decimals(min_value="0.0001", max_value=150, allow_nan=False, places=4))
def test_a_weight_has_five_characters_at_most_and_is_never_less_than_the_parcel(weight: Decimal) -> None:
    written = number(weight)
    assert len(written) <= 5
    assert weight <= Decimal(written) < weight + 1
    assert "E" not in written


@pytest.mark.parametrize(
    ("weight", "written"),
    [("12.5", "12.5"), ("10", "10"), ("1E+2", "100"), ("0.00001", "0.001"), ("12.345", "12.35"), ("149.99", "150"),
     ("99.999", "100"), ("120.10", "120.1"), ("100000.5", "100001")],
)  # fmt: skip
def test_weights(weight: str, written: str) -> None:
    assert number(Decimal(weight)) == written


def test_every_service_level_has_its_own_code() -> None:
    assert {level_of(code_of(level)) for level in ServiceLevel} == set(ServiceLevel)
    assert level_of("99") is None


def test_no_text_of_a_row_changes_another_field() -> None:
    recipient = ups.contact(name='","Service":{"Code":"01"},"x":"\u2028\x01')
    asked = ship(ups.shipment(recipient=recipient))["Shipment"]
    assert asked["Service"] == {"Code": "03"}
    assert asked["ShipTo"]["Name"] == recipient.name
