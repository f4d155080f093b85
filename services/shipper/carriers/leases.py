"""One shipper's lease of its account's places: what it proposes to the register, and what it has once that is written.

No I/O: the register is read and written by services/shipper/sharing.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from services.shipper.carriers.shares import Holding, Terms, fair_part, renewed, resting
from shared.clock import Clock, SteadyClock
from shared.contracts.places import AccountPlaces


class Limited(Protocol):
    """What keeps a limit: a carrier account's calls in this process."""

    @property
    def places(self) -> int:
        """How many calls it may make at once."""

    @property
    def in_use(self) -> int:
        """How many it is making."""

    def allot(self, places: int, *, until: float, per_second: float) -> None:
        """Have so many until then on the steady clock, and so many begun in a second (0: any number)."""

    def rest(self, seconds: float) -> None:
        """Make none for so long."""


class Lease:
    """The lease of `shipper`; `account` may make no call that it does not cover."""

    def __init__(
        self,
        shipper: str,
        account: Limited,
        terms: Terms,
        clock: Clock,
        steady: SteadyClock,
        *,
        per_second: float = 0.0,
    ) -> None:
        self.shipper = shipper
        self._account = account
        self._terms = terms
        self._clock = clock
        self._steady = steady
        self._per_second = per_second
        self._leased = 0
        self._until = 0.0
        self._proposed_at = 0.0
        self._part = 0
        self._rests_until: datetime | None = None
        self._allot(0)

    def propose(self, found: AccountPlaces) -> AccountPlaces:
        """What to put in the register's place; from here on no call is begun that it would not cover."""
        self._proposed_at, now = self._steady(), self._clock()
        leased = self._leased if self._proposed_at < self._until else None
        holding = Holding(self.shipper, leased, self._account.in_use)
        self._part = fair_part(found, holding, now, self._terms)
        if self._part < self._account.places:
            self._allot(self._part)
        wanted = renewed(found, holding, now, self._terms)
        return wanted if self._rests_until is None else resting(wanted, self._rests_until)

    def confirm(self, written: AccountPlaces) -> None:
        """Take up what was proposed last, which is in the register."""
        self._leased = written.shares[self.shipper].places
        self._until = self._proposed_at + self._terms.lease.total_seconds()
        self._allot(min(self._part, self._leased))
        if written.rests_until is not None:
            left = (written.rests_until - self._clock()).total_seconds()
            if left > 0:
                self._account.rest(left)

    def end(self) -> None:
        """Begin no further call."""
        self._until = 0.0
        self._allot(0)

    def note_rest(self, seconds: float) -> None:
        """Have the register say from the next renewal on that the account rests for so long."""
        until = self._clock() + timedelta(seconds=seconds)
        self._rests_until = until if self._rests_until is None else max(self._rests_until, until)

    def _allot(self, places: int) -> None:
        per_second = self._per_second * places / self._terms.limit
        self._account.allot(places, until=self._until, per_second=per_second)
