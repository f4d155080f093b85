"""The price guard: when a charge stops a job."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.coordinator.pricing.price_guard import PriceGuard
from shared.shipping import Money


def dollars(amount: str, currency: str = "USD") -> Money:
    return Money(amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(
    ("share", "charge", "stops"),
    [
        ("0.10", "11.00", False),
        ("0.10", "11.01", True),
        ("0.10", "9.00", False),
        ("0.005", "10.06", True),
        ("0", "99", False),
    ],
)
def test_a_charge_stops_a_job_beyond_a_share_of_what_was_named(share: str, charge: str, *, stops: bool) -> None:
    assert PriceGuard(Decimal(share)).stops_at(dollars("10.00"), dollars(charge)) is stops


def test_what_is_not_known_on_both_sides_in_one_currency_stops_nothing() -> None:
    guard = PriceGuard(Decimal("0.10"))
    assert not guard.stops_at(None, dollars("99.00"))
    assert not guard.stops_at(dollars("1.00"), None)
    assert not guard.stops_at(dollars("1.00"), dollars("99.00", "EUR"))
