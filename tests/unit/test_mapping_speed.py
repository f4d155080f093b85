from __future__ import annotations

import csv
import io
import time
from pathlib import Path

from services.coordinator.mapping import load_mapping, to_shipment
from shared.shipping import Address, Contact
from tests.samples import orders, write_orders

SENDER = Contact(name="Warehouse", address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"))


def test_generated_orders_are_distinct_valid_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    write_orders(first, 500)
    write_orders(second, 500)
    assert first.read_bytes() == second.read_bytes()
    rows = list(csv.DictReader(io.StringIO(first.read_text(encoding="utf-8"))))
    mapping = load_mapping("default", [])
    made = [to_shipment(mapping.render(row), ship_from=SENDER, service=None, default_weight=None) for row in rows]
    assert len({shipment.order_number for shipment in made}) == 500
    assert list(orders(3, seed=2)) == list(orders(9, seed=2))[:3]
    assert list(orders(3, seed=2)) != list(orders(3))


def test_ten_thousand_rows_take_at_most_two_seconds_of_processor_time() -> None:
    mapping = load_mapping("default", [])
    rows = list(orders(10_000))
    started = time.process_time()
    for row in rows:
        to_shipment(mapping.render(row), ship_from=SENDER, service=None, default_weight=None)
    assert time.process_time() - started < 2
