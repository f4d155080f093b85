"""What the sandbox makes of options and invoices: what they cost, what it refuses, what it draws."""

from __future__ import annotations

import base64
import re
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from services.sandbox.consignment import RATING, SHIPPING, Consignment, read
from services.sandbox.invoice import drawn_invoice, read_invoice
from services.sandbox.lanes import Place
from services.sandbox.rates import SERVICES, Parcel, charges, declared_value_fee
from services.sandbox.replies import RefusedError
from services.sandbox.wire import Json


def party(city: str, state: str, postal_code: str, country: str) -> Json:
    address = {
        "AddressLine": ["7 Elm St"],
        "City": city,
        "StateProvinceCode": state,
        "PostalCode": postal_code,
        "CountryCode": country,
    }
    return {"Name": "Zoë (Ann) Lee", "AttentionName": "Ann Lee", "Phone": {"Number": "5125550100"}, "Address": address}


OTTAWA = party("Ottawa", "ON", "K1A 0B1", "CA")


def request(service: str = "01", **elements: object) -> Json:
    package = {
        "Packaging": {"Code": "02"},
        "PackagingType": {"Code": "02"},
        "PackageWeight": {"UnitOfMeasurement": {"Code": "LBS"}, "Weight": "2"},
    }
    return {
        "Shipper": {**party("Austin", "TX", "78701", "US"), "ShipperNumber": "12345E"},
        "ShipTo": party("Amherst", "MA", "01002", "US"),
        "Service": {"Code": service},
        "Package": [package, deepcopy(package)],
        **elements,
    }


def with_package_options(document: Json, **options: object) -> Json:
    for package in document["Package"]:
        package["PackageServiceOptions"] = options
    return document


def fees(consignment: Consignment) -> list[Decimal]:
    return [parcel.fee for parcel in consignment.parcels]


def refusal(document: object, dialect: Any = SHIPPING) -> str:
    with pytest.raises(RefusedError) as refused:
        read(document, dialect)
    return refused.value.code


def test_options_are_paid_for_by_the_parcel() -> None:
    plain = read(request(), SHIPPING)
    assert fees(plain) == [0, 0]
    value = {"CurrencyCode": "USD", "MonetaryValue": "250.00"}
    document = with_package_options(request(), DeclaredValue=value, DeliveryConfirmation={"DCISType": "3"})
    document["ShipmentServiceOptions"] = {"SaturdayDeliveryIndicator": ""}
    asked = read(document, RATING)
    assert fees(asked) == [Decimal("29.00")] * 2
    cost, before = (
        charges(SERVICES["01"], each.origin, each.recipient, each.parcels) for each in (read(document, SHIPPING), plain)
    )
    assert (cost.transportation, cost.total) == (before.total, before.total + 58)


@pytest.mark.parametrize(("value", "fee"), [("100", "0"), ("100.01", "2.60"), ("1000", "13.00")])
def test_a_declared_value_costs_by_the_hundred_above_the_first(value: str, fee: str) -> None:
    assert declared_value_fee(Decimal(value)) == Decimal(fee)


def test_a_signature_belongs_to_the_package_at_home_and_to_the_shipment_abroad() -> None:
    confirmed = {"DeliveryConfirmation": {"DCISType": "2"}}
    assert fees(read(with_package_options(request(), **confirmed), SHIPPING)) == [Decimal("6.30")] * 2
    assert refusal(request(ShipmentServiceOptions=confirmed)) == "121020"
    assert refusal(with_package_options(request(), DeliveryConfirmation={"DCISType": "1"})) == "121020"
    abroad = request("65", ShipTo=OTTAWA)
    assert fees(read(abroad | {"ShipmentServiceOptions": confirmed}, SHIPPING)) == [Decimal("8.10")] * 2
    assert refusal(with_package_options(abroad, **confirmed)) == "121020"


def test_saturday_is_for_some_services_only() -> None:
    saturday = {"ShipmentServiceOptions": {"SaturdayDeliveryIndicator": ""}}
    assert read(request("02") | saturday, SHIPPING).saturday
    assert refusal(request("03") | saturday) == refusal(request("03") | saturday, RATING) == "121010"


@pytest.mark.parametrize("value", ["0", "-1", "much", "50000.01"])
def test_a_declared_value_out_of_bounds_is_refused(value: str) -> None:
    declared = {"CurrencyCode": "USD", "MonetaryValue": value}
    assert refusal(with_package_options(request(), DeclaredValue=declared)) == "120605"


def test_the_weights_of_all_parcels_are_billed() -> None:
    parcels = [Parcel(Decimal("2.5")), Parcel(Decimal(4))]
    assert charges(SERVICES["03"], Place("US", "78701"), Place("US", "01002"), parcels).billable_weight == 7


FORMS: Json = {
    "FormType": "01",
    "InvoiceNumber": "T-2002",
    "InvoiceDate": "20261121",
    "ReasonForExport": "SALE",
    "TermsOfShipment": "DAP",
    "CurrencyCode": "USD",
    "Contacts": {"SoldTo": OTTAWA},
    "Product": [
        {
            "Description": ["Hardback books", "(second edition)"],
            "Unit": {"Number": "3", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "24.505"},
            "CommodityCode": "490199",
            "OriginCountryCode": "US",
        },
        {
            "Description": "Mugs",
            "Unit": {"Number": "2", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "14"},
            "OriginCountryCode": "PT",
        },
    ],
}


def shipment(forms: Json) -> Json:
    return {"ShipmentServiceOptions": {"InternationalForms": forms}}


def test_an_invoice_lists_its_goods_and_their_total() -> None:
    invoice = read_invoice(shipment(FORMS))
    assert invoice is not None
    assert invoice.total == Decimal("101.515")
    sheet = base64.b64decode(drawn_invoice(invoice, "1Z1")).decode("latin-1")
    assert sheet.startswith("%PDF")
    for line in (r"Zoë \(Ann\) Lee", r"3 x Hardback books \(second edition\)", "2 x Mugs", "Terms DAP", "101.52 USD"):
        assert line in sheet
    assert read_invoice({}) is None


def test_an_invoice_of_as_many_goods_as_there_may_be_fits_its_page() -> None:
    invoice = read_invoice(shipment(FORMS | {"Product": [FORMS["Product"][1]] * 50}))
    assert invoice is not None
    sheet = base64.b64decode(drawn_invoice(invoice, "1Z1"))
    heights = [int(height) for height in re.findall(rb"Tf 54 (-?\d+) Td", sheet)]
    assert (len(heights), heights) == (55, sorted(heights, reverse=True))
    assert heights[-1] > 0


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("FormType", "03", "128001"),
        ("InvoiceNumber", "", "128002"),
        ("InvoiceDate", "2026-11-21", "128003"),
        ("ReasonForExport", None, "128004"),
        ("TermsOfShipment", "DDU", "128005"),
        ("CurrencyCode", "US$", "128006"),
        ("Contacts.SoldTo.AttentionName", None, "128007"),
        ("Product", [], "128008"),
        ("Product.0.Description", ["x" * 36], "128010"),
        ("Product.0.Description", ["1", "2", "3", "4"], "128010"),
        ("Product.1.Unit.Number", "0", "128011"),
        ("Product.1.Unit.UnitOfMeasurement.Code", None, "128012"),
        ("Product.1.Unit.Value", "0", "128013"),
        ("Product.1.Unit.Value", "1.1234567", "128013"),
        ("Product.0.CommodityCode", "4901", "128014"),
        ("Product.0.OriginCountryCode", "USA", "128015"),
    ],
)
def test_an_invoice_that_ups_would_not_make_is_refused(path: str, value: object, code: str) -> None:
    forms = deepcopy(FORMS)
    node: Any = forms
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        node = node[step]
    node[last] = value
    with pytest.raises(RefusedError) as refused:
        read_invoice(shipment(forms))
    assert refused.value.code == code
