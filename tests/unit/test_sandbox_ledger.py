import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.sandbox.ledger import Ledger, Sale
from services.sandbox.tracking_number import is_valid

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
WEIGHTS = (Decimal("2.5"), Decimal(1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sandbox.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path)
    yield ledger
    ledger.close()


def sale(*references: str) -> Sale:
    return Sale(
        shipper_number="12345E",
        service="03",
        references=references,
        recipient_city="Amherst",
        recipient_state="MA",
        recipient_postal_code="01002",
        recipient_country="US",
        cost=Decimal("12.40"),
        created_at=NOW,
        visible_at=NOW,
    )


def test_every_package_gets_a_number_of_its_own_and_the_shipment_goes_by_the_first(ledger: Ledger) -> None:
    sold = [ledger.sell(sale("R1"), WEIGHTS) for _ in range(3)]
    numbers = [parcel.tracking_number for shipment in sold for parcel in shipment.parcels]
    assert len(set(numbers)) == 6
    assert all(map(is_valid, numbers))
    assert [shipment.shipment_id for shipment in sold] == numbers[::2]


def test_a_sale_is_found_by_number_and_by_each_reference_as_it_was_sold(ledger: Ledger) -> None:
    first, second = ledger.sell(sale("R1", "O1"), WEIGHTS), ledger.sell(sale("R2", "O1"), WEIGHTS)
    assert ledger.by_reference("R1") == [first]
    assert ledger.by_reference("O1") == [first, second]
    assert ledger.by_tracking_number(second.parcels[1].tracking_number) == [second]
    assert ledger.by_tracking_number("R1") == []
    assert ledger.shipments() == [first, second]


def test_what_was_sold_is_there_after_the_file_is_opened_again(path: Path, ledger: Ledger) -> None:
    sold = ledger.sell(sale("R1"), WEIGHTS)
    other = Ledger(path)
    assert other.shipments() == [sold]
    assert other.sell(sale("R2"), WEIGHTS).shipment_id not in {parcel.tracking_number for parcel in sold.parcels}
    other.close()


def test_two_ledgers_start_at_different_numbers(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path / f"{name}.db") for name in range(4)]
    assert len({ledger.sell(sale(), WEIGHTS).shipment_id for ledger in ledgers}) > 1
    for ledger in ledgers:
        ledger.close()


def test_a_shipment_is_voided_once_all_of_its_packages_are(ledger: Ledger) -> None:
    sold = ledger.sell(sale("R1"), WEIGHTS)
    one, other = (parcel.tracking_number for parcel in sold.parcels)
    partly = ledger.void(sold.shipment_id, frozenset({one}), NOW)
    assert not partly.voided
    wholly = ledger.void(sold.shipment_id, frozenset({one, other}), NOW + timedelta(hours=1))
    assert wholly.voided
    assert [parcel.voided_at for parcel in wholly.parcels] == [NOW, NOW + timedelta(hours=1)]
    assert ledger.by_reference("R1") == [wholly]


def test_a_sale_that_fails_half_way_leaves_no_trace(ledger: Ledger) -> None:
    ledger.sell(sale("R1"), WEIGHTS)
    with pytest.raises(sqlite3.Error):
        ledger.sell(sale("R2").model_copy(update={"references": ("R2", "R2")}), WEIGHTS)
    assert [shipment.references for shipment in ledger.shipments()] == [("R1",)]
    assert ledger.sell(sale("R3"), WEIGHTS).references == ("R3",)


def test_tokens_are_kept_by_digest_until_dropped(ledger: Ledger) -> None:
    ledger.keep_token("digest", NOW)
    assert ledger.tokens() == {"digest": NOW}
    ledger.drop_token("digest")
    assert ledger.tokens() == {}


def test_the_ledger_keeps_no_recipient_name(path: Path, ledger: Ledger) -> None:
    ledger.sell(sale("R1"), WEIGHTS)
    with sqlite3.connect(path) as db:
        ((document,),) = db.execute("SELECT document FROM shipments")
    assert not any("name" in key for key in json.loads(document))
