"""What is said of orders that are left out since their platform says so; pure: nothing here prints."""

from __future__ import annotations

from collections.abc import Sequence

from services.cli.rendering.wording import plural
from shared.contracts.documents import SettledOrders


def settled_lines(settled: Sequence[SettledOrders]) -> list[str]:
    """`3 orders are left out: 2 fulfilled (rows 4, 9), 1 cancelled (row 7); --include REASON ships them …`."""
    if not settled:
        return []
    count = sum(orders.count for orders in settled)
    reasons = ", ".join(f"{orders.count:,} {orders.reason} ({_rows(orders)})" for orders in settled)
    verb = "is" if count == 1 else "are"
    which = settled[0].reason if len(settled) == 1 else "REASON"
    option = f"--include {which} ships {'it' if count == 1 else 'them'} nevertheless"
    return [f"{plural(count, 'order')} {verb} left out: {reasons}; {option}."]


def _rows(orders: SettledOrders) -> str:
    numbers = ", ".join(f"{row:,}" for row in orders.rows)
    more = ", …" if orders.count > len(orders.rows) else ""
    return f"{'row' if orders.count == 1 else 'rows'} {numbers}{more}"
