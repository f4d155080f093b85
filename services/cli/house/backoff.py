"""How long a process that died waits before it is started again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

JITTER = 0.2


@dataclass
class Backoff:
    """Delays in seconds that double from `shortest` to `longest`, each a little off, from anew after a healthy time.

    The jitter keeps services that fell together from starting together for ever.
    """

    shortest: float = 0.5
    longest: float = 15.0
    healthy_after: float = 60.0
    uniform: Callable[[float, float], float] = random.uniform
    _deaths: int = field(default=0, init=False)

    def after(self, lived: float) -> float:
        """The delay after a process that ran for `lived` seconds."""
        if lived >= self.healthy_after:
            self._deaths = 0
        doubled: float = self.shortest * 2 ** min(self._deaths, 10)
        self._deaths += 1
        spread = self.uniform(1 - JITTER, 1 + JITTER)
        return min(self.longest, max(self.shortest, min(doubled, self.longest) * spread))
