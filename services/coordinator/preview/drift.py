"""What changed in a source since a job took it in: its orders then and now, by the checksums of their rows.

Orders that only moved are no change, nor are those that are left out or could not ship.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest

from shared.sources.rows import SourceRow

Checksums = tuple[str, ...]
Order = tuple[SourceRow, ...]


@dataclass(frozen=True)
class Drift:
    """`gone` orders are not there any more as they were read, `new` ones were not read so. `digest` tells drifts apart.

    An order that was edited is both. The digest is empty where nothing changed.
    """

    gone: int = 0
    new: int = 0
    digest: str = ""

    def __str__(self) -> str:
        """`2 orders are not as they were read and 1 is new`."""
        parts = []
        if self.gone:
            parts.append(f"{self.gone} {_orders(self.gone)} not as {'it was' if self.gone == 1 else 'they were'} read")
        if self.new:
            parts.append(f"{self.new} {_orders(self.new)} new or edited")
        return " and ".join(parts)


class Comparison:
    """The orders that a source has now against those read then; `would_ship` is asked of those that were not read so.

    Both are taken side by side, so what is in mind is what stands at another place. All methods block.
    """

    def __init__(self, now: Iterable[Order], would_ship: Callable[[Order], bool]) -> None:
        self._now = iter(now)
        self._would_ship = would_ship
        self._balance: Counter[Checksums] = Counter()

    def take(self, then: Sequence[Checksums]) -> None:
        """Go on with the next orders as they were read then, and as many of those that are there now."""
        for before, present in zip_longest(then, islice(self._now, len(then))):
            if before is not None:
                self._add(before, -1)
            if present is not None:
                self._add_present(present)

    def finish(self) -> Drift:
        """What changed, once all that was read then is taken."""
        for present in self._now:
            self._add_present(present)
        gone = -sum(count for count in self._balance.values() if count < 0)
        new = sum(count for count in self._balance.values() if count > 0)
        return Drift(gone, new, _digest(self._balance))

    def _add_present(self, order: Order) -> None:
        checksums = tuple(row.checksum for row in order)
        if self._balance.get(checksums, 0) < 0 or self._would_ship(order):
            self._add(checksums, 1)

    def _add(self, checksums: Checksums, count: int) -> None:
        self._balance[checksums] += count
        if not self._balance[checksums]:
            del self._balance[checksums]


def unreadable(code: str) -> Drift:
    """The change of a source that cannot be read any more, for the reason that an error's `code` stands for."""
    return Drift(digest=hashlib.sha256(code.encode()).hexdigest())


def _digest(balance: Counter[Checksums]) -> str:
    if not balance:
        return ""
    told = "\n".join(sorted(f"{count} {' '.join(checksums)}" for checksums, count in balance.items()))
    return hashlib.sha256(told.encode()).hexdigest()


def _orders(count: int) -> str:
    return "order is" if count == 1 else "orders are"
