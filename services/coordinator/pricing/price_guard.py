"""The price guard: whether a row was charged so much more than previewed that a person has to look. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from shared.shipping import Money


@dataclass(frozen=True)
class PriceGuard:
    """Stops a job at a charge that exceeds what the carrier named for the row by more than `share` of it; 0: never."""

    share: Decimal = Decimal(0)

    def stops_at(self, rated: Money | None, charge: Money | None) -> bool:
        """Whether a job stops at a row that the carrier named the price `rated` for; never where one is not known."""
        if not self.share or rated is None or charge is None or rated.currency != charge.currency:
            return False
        return charge.amount > rated.amount * (1 + self.share)
