"""What UPS is asked beyond carrying a parcel: signature, Saturday, declared value, ship-from, papers for customs."""

from __future__ import annotations

import base64
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shipper.carriers.carrier import Purchase
from services.shipper.carriers.ups.answers import Bought, ship_answer
from services.shipper.carriers.ups.options import shipment_options
from services.shipper.carriers.ups.rating import rate_call
from services.shipper.carriers.ups.requests import ship_call
from services.shipper.reconciliation import difference
from shared.shipping import Contact, Customs, CustomsLine, Money, Package, ServiceLevel, Shipment, Signature, Terms
from tests.unit import ups_bodies as ups

TODAY = date(2026, 11, 21)
OTTAWA = ups.contact(
    city="Ottawa", state="ON", postal_code="K1A 0B1", country="CA", phone="613-555-0123", company="Müller & Co"
)
BOOKS = CustomsLine(
    description="Hardback books with many maps, second edition, printed and bound in Austin",
    hs_code="490199",
    origin="US",
    quantity=3,
    unit_value=Decimal("24.50"),
    sku="BK-1",
)
MUGS = CustomsLine(description="Mugs", origin="PT", quantity=2, unit_value=Decimal(14))


def shipped(**changes: Any) -> dict[str, Any]:
    call = ship_call(ups.shipment(**changes), ups.REFERENCE, ups.ACCOUNT, "GIF", TODAY)
    body: dict[str, Any] = json.loads(call.body)["ShipmentRequest"]["Shipment"]
    return body


def rated(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(rate_call(ups.shipment(**changes), ups.ACCOUNT).body)["RateRequest"]["Shipment"]
    return body


def test_a_plain_shipment_asks_for_nothing_else() -> None:
    for body in (shipped(), rated()):
        assert body.keys().isdisjoint(
            {"ShipmentServiceOptions", "InvoiceLineTotal", "DocumentsOnlyIndicator", "ShipFrom"}
        )
        assert "PackageServiceOptions" not in body["Package"][0]


@pytest.mark.parametrize(("signature", "kind"), [(Signature.DIRECT, "2"), (Signature.ADULT, "3")])
def test_a_signature_at_home_is_asked_for_per_package(signature: Signature, kind: str) -> None:
    parcels = (Package(weight=Decimal(1), declared_value=Money(amount=Decimal("150.5"))), Package(weight=Decimal(2)))
    for body in (shipped(signature=signature, packages=parcels), rated(signature=signature, packages=parcels)):
        first, second = (package["PackageServiceOptions"] for package in body["Package"])
        assert first == {
            "DeclaredValue": {"CurrencyCode": "USD", "MonetaryValue": "150.50"},
            "DeliveryConfirmation": {"DCISType": kind},
        }
        assert second == {"DeliveryConfirmation": {"DCISType": kind}}
        assert "ShipmentServiceOptions" not in body


@pytest.mark.parametrize(("signature", "kind"), [(Signature.DIRECT, "1"), (Signature.ADULT, "2")])
def test_a_signature_abroad_is_asked_for_per_shipment(signature: Signature, kind: str) -> None:
    body = shipped(recipient=OTTAWA, signature=signature)
    assert body["ShipmentServiceOptions"] == {"DeliveryConfirmation": {"DCISType": kind}}
    assert "PackageServiceOptions" not in body["Package"][0]


def test_saturday_is_asked_for_the_shipment() -> None:
    for body in (shipped(saturday_delivery=True), rated(saturday_delivery=True)):
        assert body["ShipmentServiceOptions"] == {"SaturdayDeliveryIndicator": ""}


def test_parcels_from_a_warehouse_name_it_beside_the_shipper() -> None:
    account = Contact(name="Head Office", address=ups.WAREHOUSE.address.model_copy(update={"city": "Dallas"}))
    for body in (shipped(shipper=account), rated(shipper=account)):
        assert (body["Shipper"]["Name"], body["Shipper"]["Address"]["City"]) == ("Head Office", "Dallas")
        assert body["Shipper"]["ShipperNumber"] == ups.ACCOUNT
        assert (body["ShipFrom"]["Name"], body["ShipFrom"]["Address"]["City"]) == ("Byron Goods", "Austin")


def test_order_number_reference_and_cost_centre_share_a_reference() -> None:
    values = [each["Value"] for each in shipped(reference="PO 7", cost_centre="CC-42")["Package"][0]["ReferenceNumber"]]
    assert values == [ups.REFERENCE, "SO-1001 / PO 7 / CC-42"]


def test_customs_is_told_of_the_goods_in_a_commercial_invoice() -> None:
    customs = Customs(lines=(BOOKS, MUGS), terms=Terms.DAP, reason="GIFT")
    body = shipped(recipient=OTTAWA, customs=customs, service=ServiceLevel.STANDARD, reference="PO 7")
    invoice = body["ShipmentServiceOptions"]["InternationalForms"]
    assert invoice.pop("Contacts") == {"SoldTo": body["ShipTo"]}
    assert invoice == {
        "FormType": "01",
        "InvoiceNumber": "SO-1001",
        "InvoiceDate": "20261121",
        "PurchaseOrderNumber": "PO 7",
        "TermsOfShipment": "DAP",
        "ReasonForExport": "GIFT",
        "CurrencyCode": "USD",
        "Product": [
            {
                "Description": [
                    "Hardback books with many maps,",
                    "second edition, printed and bound",
                    "in Austin",
                ],
                "Unit": {"Number": "3", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "24.5"},
                "CommodityCode": "490199",
                "PartNumber": "BK-1",
                "OriginCountryCode": "US",
            },
            {
                "Description": ["Mugs"],
                "Unit": {"Number": "2", "UnitOfMeasurement": {"Code": "PCS"}, "Value": "14"},
                "OriginCountryCode": "PT",
            },
        ],
    }
    assert body["InvoiceLineTotal"] == {"CurrencyCode": "USD", "MonetaryValue": "102"}
    assert body["Description"] == "Hardback books with many maps, second edition, pri"
    assert "ShipmentServiceOptions" not in rated(recipient=OTTAWA, customs=customs)


def test_an_order_without_a_number_has_an_invoice_by_its_reference() -> None:
    asked = shipment_options(
        ups.shipment(recipient=OTTAWA, customs=Customs(lines=(MUGS,)), order_number=""), ups.REFERENCE, TODAY
    )
    assert asked["ShipmentServiceOptions"]["InternationalForms"]["InvoiceNumber"] == ups.REFERENCE


def test_documents_go_abroad_without_an_invoice() -> None:
    body = shipped(recipient=OTTAWA, documents_only=True)
    assert (body["DocumentsOnlyIndicator"], body["Description"]) == ("", "Documents")
    assert body.keys().isdisjoint({"ShipmentServiceOptions", "InvoiceLineTotal"})


def test_the_value_of_goods_is_told_where_ups_wants_it_and_known() -> None:
    san_juan = ups.contact(city="San Juan", state="PR", postal_code="00901")
    parcels = tuple(
        Package(weight=Decimal(1), declared_value=Money(amount=Decimal(amount))) for amount in ("9.10", "5")
    )
    assert shipped(recipient=san_juan, packages=parcels)["InvoiceLineTotal"]["MonetaryValue"] == "15"
    assert "InvoiceLineTotal" not in shipped(recipient=san_juan)
    assert "InvoiceLineTotal" not in shipped(packages=parcels)


@given(st.text(st.characters(categories=("L", "N")) | st.just(" "), min_size=1, max_size=105).filter(str.strip))
def test_a_description_of_any_words_fits_its_lines_and_keeps_them(text: str) -> None:
    line = MUGS.model_copy(update={"description": " ".join(text.split())})
    options = shipment_options(ups.shipment(recipient=OTTAWA, customs=Customs(lines=(line,))), "R", TODAY)
    (product,) = options["ShipmentServiceOptions"]["InternationalForms"]["Product"]
    assert 1 <= len(product["Description"]) <= 3
    assert all(0 < len(part) <= 35 for part in product["Description"])
    assert "".join("".join(product["Description"]).split()) == "".join(text.split())


def answered(form: object) -> Purchase:
    results = ups.ship_results(PackageResults=[ups.package_result(), ups.package_result(ups.SECOND_NUMBER)], Form=form)
    answer = ship_answer(
        200, {}, ups.encoded({"ShipmentResponse": {"Response": ups.SUCCESS, "ShipmentResults": results}})
    )
    assert isinstance(answer, Bought)
    return answer.purchase


def form(content: bytes) -> dict[str, Any]:
    image = {"ImageFormat": {"Code": "PDF"}, "GraphicImage": base64.b64encode(content).decode()}
    return {"Code": "01", "Description": "All Requested International Forms", "Image": image}


def test_every_parcels_number_and_label_and_the_invoice_are_read() -> None:
    purchase = answered(form(b"%PDF-1.4 invoice"))
    assert purchase.tracking_numbers == (ups.TRACKING_NUMBER, ups.SECOND_NUMBER)
    assert [label.tracking_number for label in purchase.labels] == list(purchase.tracking_numbers)
    assert purchase.invoice == b"%PDF-1.4 invoice"
    assert answered([form(b"%PDF-1.4 invoice")]).invoice == b"%PDF-1.4 invoice"


@pytest.mark.parametrize("unreadable", [None, {}, "x", form(b"GIF89a"), {"Image": {"GraphicImage": "no base64"}}])
def test_a_sale_counts_whatever_its_invoice_is_like(unreadable: object) -> None:
    assert answered(unreadable).invoice is None


def test_a_shipment_found_in_puerto_rico_fits_a_row_that_calls_it_a_state() -> None:
    recipient = ups.contact(city="San Juan", state="PR", postal_code="00901")
    shipment: Shipment = ups.shipment(recipient=recipient)
    found = Purchase(ups.TRACKING_NUMBER, (ups.TRACKING_NUMBER,), None, destination=("PR", "PR"))
    assert difference(found, shipment) is None
