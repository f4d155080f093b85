"""The orders that an intake leaves out since their platform has settled them, counted by reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.contracts.documents import SettledOrders

_ROWS_NAMED = 5


@dataclass
class SettledCount:
    """Counts orders by the reason for which they are left out, and remembers where the first of them are."""

    _counts: dict[str, int] = field(default_factory=dict)
    _rows: dict[str, list[int]] = field(default_factory=dict)

    def add(self, reason: str, row: int) -> None:
        """Count an order that begins in this row of the source."""
        self._counts[reason] = self._counts.get(reason, 0) + 1
        named = self._rows.setdefault(reason, [])
        if len(named) < _ROWS_NAMED:
            named.append(row)

    @property
    def orders(self) -> tuple[SettledOrders, ...]:
        """What was counted, a document for each reason in the order in which they were met."""
        return tuple(
            SettledOrders(reason=reason, count=count, rows=tuple(self._rows[reason]))
            for reason, count in self._counts.items()
        )

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {reason}" for reason, count in self._counts.items())
