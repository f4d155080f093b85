"""The table of services that `tally preview --compare` prints."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from services.cli.rendering.comparison import comparison
from shared.contracts.documents import ComparisonDocument, ServiceCost
from shared.contracts.source import CsvSource
from shared.errors import LANE_NOT_SERVED, TallyError
from shared.shipping import Money

REFUSED = TallyError(LANE_NOT_SERVED, carrier_code="111210", carrier_message="No service").body


def dollars(amount: str) -> Money:
    return Money(amount=Decimal(amount))


def document(**changes: Any) -> ComparisonDocument:
    ground = ServiceCost(
        service="ground", rows=500, cost=dollars("9312.4"), fewest_days=1, most_days=4, last_arrival=date(2026, 11, 27)
    )
    early = ServiceCost(service="next_day_air_early", rows=480, cost=dollars("41000"), fewest_days=1, most_days=1)
    fields: dict[str, Any] = {
        "source": CsvSource(path="orders.csv"),
        "where": None,
        "mapping": "default",
        "total": 500,
        "to_ship": 500,
        "skipped": 0,
        "services": (ground, early),
        "cheapest": dollars("9312.40"),
        "own": dollars("11000"),
        "own_rows": 500,
        "rated": 500,
    }
    return ComparisonDocument.model_validate(fields | changes)


def printed(shown: ComparisonDocument, width: int) -> list[str]:
    text = StringIO()
    Console(file=text, width=width).print(comparison(shown))
    return [line.rstrip() for line in text.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 200])
def test_every_service_has_its_rows_cost_and_days(width: int) -> None:
    assert printed(document(), width) == [
        "orders.csv",
        "Service                   Rows        Cost  Days  Last arrival",
        "Ground              500 of 500   $9,312.40   1-4    2026-11-27",
        "Next Day Air Early  480 of 500  $41,000.00     1             -",
        "500 rows to ship",
        "Each row by its cheapest service: 9,312.40 USD (--service cheapest).",
        "As the rows say: 11,000.00 USD.",
    ]


def test_rows_that_are_not_in_it_are_told_of() -> None:
    lines = printed(document(rated=497, own_rows=496, refused=1, unrated=2, problems=(REFUSED,), skipped=3), 200)
    assert lines[4:] == [
        "500 rows to ship; 3 rows skipped",
        "Each row by its cheapest service: 9,312.40 USD (--service cheapest).",
        "496 rows by the services they name: 11,000.00 USD.",
        "1 row has no service to go by.",
        "2 rows have no price; they are in none of these.",
        str(REFUSED),
    ]


def test_without_any_price_there_is_nothing_to_compare() -> None:
    lines = printed(document(services=(), rated=0, own_rows=0, unrated=500), 80)
    assert lines == ["orders.csv", "500 rows to ship", "500 rows have no price; they are in none of these."]
