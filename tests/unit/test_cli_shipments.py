"""How a shipment of several parcels, or one that goes abroad, is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.console import Console, RenderableType

from services.cli.rendering.rows import row_details, rows_table
from services.cli.rendering.shipment import shipment_facts
from shared.contracts.documents import LabelDocument, RowDocument, WriteBackDocument
from shared.contracts.states import RowStatus, WriteBackStatus
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

AUSTIN = Contact(name="Warehouse", address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"))
OTTAWA = Contact(
    name="Chloé Tremblay",
    phone="6135550123",
    address=Address(lines=("80 Wellington",), city="Ottawa", state="ON", postal_code="K1A 0A2", country="CA"),
)
NUMBERS = ("1ZTALLY10300000017", "1ZTALLY10300000026", "1ZTALLY10300000035")
BOX = Dimensions(length=Decimal(9), width=Decimal(6), height=Decimal(2))
LARGE = Package(weight=Decimal("2.5"), dimensions=BOX, declared_value=Money(amount=Decimal(120)))


def shown(renderable: RenderableType, width: int = 80) -> list[str]:
    console = Console(width=width, record=True, file=None, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_shipment_abroad_is_shown_with_its_parcels_and_what_customs_is_told() -> None:
    shipment = Shipment(
        ship_from=AUSTIN,
        shipper=OTTAWA,
        recipient=OTTAWA,
        packages=(LARGE, LARGE, Package(weight=Decimal(1))),
        service=ServiceLevel.WORLDWIDE_EXPRESS,
        order_number="T-1",
        cost_centre="CC-42",
        signature=Signature.ADULT,
        saturday_delivery=True,
        customs=Customs(
            lines=(
                CustomsLine(
                    description="Books", hs_code="490199", origin="US", quantity=3, unit_value=Decimal("24.50")
                ),
            ),
            terms=Terms.DAP,
        ),
    )
    assert [" ".join(line.split()) for line in shown(shipment_facts(shipment))] == [
        "Order T-1",
        "Cost centre CC-42",
        "Recipient Chloé Tremblay",
        "Address 80 Wellington",
        "City Ottawa ON K1A 0A2",
        "Country CA",
        "Phone 6135550123",
        "Ship from Warehouse, Austin",
        "Service Worldwide Express, on Saturday",
        "Signature adult",
        "Weight 2 x 2.5 lb",
        "Size 9 x 6 x 2 in",
        "Declared $120.00",
        "Weight 1 x 1 lb",
        "Customs 3 x Books, 24.50 USD each, made in US, HS 490199",
        "Value $73.50, sale, DAP",
    ]


@pytest.mark.parametrize("width", [80, 200])
def test_a_row_of_several_parcels_keeps_its_line_and_names_them_all_by_itself(width: int) -> None:
    keys = tuple(f"job/0000001-{number}.gif" for number in NUMBERS)
    row = RowDocument(
        row_number=1,
        source_row=1,
        status=RowStatus.SHIPPED,
        attempt=1,
        reference="T1",
        recipient="Ann Lee",
        destination="Ottawa, ON",
        service="standard",
        tracking_numbers=NUMBERS,
        cost=Money(amount=Decimal("80.10")),
        label=LabelDocument(key=keys[0], keys=keys, invoice="job/0000001-1ZTALLY10300000017-invoice.pdf"),
        write_back=WriteBackDocument(status=WriteBackStatus.WRITTEN),
        shipped_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    header, line = shown(rows_table([row]), width)
    assert header.startswith("#")
    assert f"{NUMBERS[0]} +2" in line
    details = "\n".join(shown(row_details(row), width))
    for told in (*NUMBERS, *keys, "job/0000001-1ZTALLY10300000017-invoice.pdf"):
        assert told in details
