"""Whether the sandbox carrier's ledger holds exactly one live shipment for each row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from shared.contracts.documents import RowDocument

_WITHIN = 10.0


@dataclass(frozen=True)
class LedgerCheck:
    """Rows by how often the carrier sold them; `wrong` are those whose tracking number is not the carrier's."""

    rows: int
    once: int
    never: tuple[int, ...]
    twice: tuple[int, ...]
    wrong: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Whether every row was sold exactly once, under the number that the job knows."""
        return self.rows > 0 and self.once == self.rows and not self.wrong


def check_ledger(rows: Sequence[RowDocument], shipments: Iterable[dict[str, Any]]) -> LedgerCheck:
    """Compare a job's rows with the carrier's shipments, by the row's reference; voided shipments do not count."""
    live = [shipment for shipment in shipments if not shipment["voided"]]
    sold = Counter(shipment["reference"] for shipment in live)
    numbers = {shipment["reference"]: tuple(shipment["tracking_numbers"]) for shipment in live}
    return LedgerCheck(
        rows=len(rows),
        once=sum(sold[row.reference] == 1 for row in rows),
        never=tuple(row.row_number for row in rows if sold[row.reference] == 0),
        twice=tuple(row.row_number for row in rows if sold[row.reference] > 1),
        wrong=tuple(
            row.row_number
            for row in rows
            if sold[row.reference] == 1 and numbers[row.reference] != row.tracking_numbers
        ),
    )


def fetch_shipments(carrier_url: str) -> list[dict[str, Any]]:
    """Every shipment that the sandbox at `carrier_url` ever sold (DESIGN §9). Raises OSError."""
    with urlopen(f"{carrier_url}/_sandbox/shipments", timeout=_WITHIN) as answer:  # nosec B310  # noqa: S310 - our own sandbox
        shipments: list[dict[str, Any]] = json.load(answer)
        return shipments
