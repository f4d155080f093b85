from __future__ import annotations

from decimal import Decimal

import pytest

from services.coordinator.mapping import content_fingerprint
from shared.shipping import Address, Contact, Dimensions, Package, ServiceLevel, Shipment

ADDRESS = Address(lines=("418 Alder Court", "Apt 3B"), city="Somerville", state="MA", postal_code="02143")
RECIPIENT = Contact(name="Maya Okafor", phone="6175550101", email="maya@example.com", address=ADDRESS)
SENDER = Contact(name="Warehouse", address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"))
PACKAGE = Package(weight=Decimal("2.4"))
SHIPMENT = Shipment(ship_from=SENDER, recipient=RECIPIENT, packages=(PACKAGE,), order_number="T-1001")


def with_address(**changes: object) -> Shipment:
    address = ADDRESS.model_copy(update=changes)
    return SHIPMENT.model_copy(update={"recipient": RECIPIENT.model_copy(update={"address": address})})


def with_recipient(**changes: object) -> Shipment:
    return SHIPMENT.model_copy(update={"recipient": RECIPIENT.model_copy(update=changes)})


def with_package(**changes: object) -> Shipment:
    return SHIPMENT.model_copy(update={"packages": (PACKAGE.model_copy(update=changes),)})


@pytest.mark.parametrize(
    "same",
    [
        SHIPMENT.model_copy(update={"ship_from": RECIPIENT}),
        SHIPMENT.model_copy(update={"service": ServiceLevel.NEXT_DAY_AIR}),
        with_address(residential=True),
        with_address(city="SOMERVILLE"),
        with_recipient(phone="", email=""),
        with_package(weight=Decimal("2.40")),
        Shipment.model_validate(dict(reversed(SHIPMENT.model_dump().items()))),
        Shipment.model_validate_json(SHIPMENT.model_dump_json()),
    ],
)
def test_the_same_order_sent_another_way_has_the_same_fingerprint(same: Shipment) -> None:
    assert content_fingerprint(same) == content_fingerprint(SHIPMENT)


@pytest.mark.parametrize(
    "other",
    [
        SHIPMENT.model_copy(update={"order_number": "T-1002"}),
        SHIPMENT.model_copy(update={"description": "books"}),
        SHIPMENT.model_copy(update={"packages": (PACKAGE, PACKAGE)}),
        with_recipient(name="Mara Okafor"),
        with_recipient(company="Okafor Ltd"),
        with_address(lines=("418 Alder Court",)),
        with_address(lines=("418 Alder", "Court Apt 3B")),
        with_address(city="Cambridge"),
        with_address(state="NH"),
        with_address(postal_code="02144"),
        with_address(country="CA"),
        with_package(weight=Decimal("2.5")),
        with_package(dimensions=Dimensions(length=Decimal(1), width=Decimal(2), height=Decimal(3))),
    ],
)
def test_another_order_has_another_fingerprint(other: Shipment) -> None:
    assert content_fingerprint(other) != content_fingerprint(SHIPMENT)


def test_the_fingerprint_is_the_same_in_every_release() -> None:
    assert content_fingerprint(SHIPMENT) == "fedfc8a82c5b7a85e3ed5ac82d0f32981e9b6128edd58d607cb7245cda3db093"
