"""The carrier in the small: calls travel, then are sold, refused or lost; look-ups see sales at once or later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import count

from services.shipper.carriers.carrier import Consistency


class Answer(Enum):
    """What a caller hears."""

    SOLD = auto()
    REFUSED = auto()
    NONE = auto()


@dataclass
class Call:
    """A purchase whose bytes went; the carrier may commit it until `last_commit`, whatever becomes of the caller."""

    row: int
    claim_id: int
    last_commit: datetime
    times_out: datetime
    answer: Answer | None = None
    number: int | None = None


@dataclass(frozen=True)
class Sale:
    """A label sold."""

    row: int
    number: int
    visible_from: datetime


class Carrier:
    """Sells labels by row, which is their reference."""

    def __init__(self, consistency: Consistency) -> None:
        self.consistency = consistency
        self.travelling: list[Call] = []
        self.sales: list[Sale] = []
        self._numbers = count(1)

    def sell(self, call: Call, now: datetime, lag: timedelta, *, answered: bool) -> None:
        """Commit a call; look-ups see the sale after `lag`, the caller hears of it where `answered`."""
        visible_from = now if self.consistency == "immediate" else now + lag
        sale = Sale(call.row, next(self._numbers), visible_from)
        self.sales.append(sale)
        self._end(call, Answer.SOLD if answered else Answer.NONE, sale.number)

    def refuse(self, call: Call) -> None:
        """Sell nothing and say so."""
        self._end(call, Answer.REFUSED)

    def lose(self, call: Call) -> None:
        """The call never arrived."""
        self._end(call, Answer.NONE)

    def _end(self, call: Call, answer: Answer, number: int | None = None) -> None:
        self.travelling.remove(call)
        call.answer, call.number = answer, number

    def pass_time(self, now: datetime) -> None:
        """A call that was not committed in time never will be."""
        for call in [call for call in self.travelling if call.last_commit < now]:
            self.lose(call)

    def find(self, row: int, now: datetime) -> list[int]:
        """The numbers that a look-up sees."""
        return [sale.number for sale in self.sales if sale.row == row and sale.visible_from <= now]
