"""How hard the sandbox is used: calls at once, and calls that came before a refused caller was to come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class AtOnce:
    """Calls under way, and the most there ever were."""

    now: int = 0
    most: int = 0

    def enter(self) -> None:
        """Count one that begins."""
        self.now += 1
        self.most = max(self.most, self.now)


@dataclass
class Load:
    """Business calls since the start, or since `forget`; `early` has how long after a 429 each early call came, in ms.

    A call is early that comes before the time which the last 429 with a Retry-After asked for is over.
    """

    steady: Callable[[], float] = time.monotonic
    ships: AtOnce = field(default_factory=AtOnce)
    calls: AtOnce = field(default_factory=AtOnce)
    early: list[int] = field(default_factory=list)
    _refused_at: float = 0.0
    _rests_until: float = 0.0

    @contextmanager
    def call(self, *, ships: bool) -> Iterator[None]:
        """Count a call for as long as it is under way."""
        counted = (self.calls, self.ships) if ships else (self.calls,)
        if self.steady() < self._rests_until:
            self.early.append(round((self.steady() - self._refused_at) * 1000))
        for each in counted:
            each.enter()
        try:
            yield
        finally:
            for each in counted:
                each.now -= 1

    def refused(self, retry_after: int | None) -> None:
        """Note a 429 that asked for so many seconds."""
        if retry_after:
            self._refused_at = self.steady()
            self._rests_until = self._refused_at + retry_after

    def forget(self) -> None:
        """Count anew; what is under way stays counted."""
        self.early.clear()
        for each in (self.ships, self.calls):
            each.most = each.now
