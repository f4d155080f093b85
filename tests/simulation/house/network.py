"""What becomes of a question on its way to a server and of the answer on its way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeVar

from tests.simulation.house.loop import WORLD, SimulatedLoop

T = TypeVar("T")

_SLOWEST = 0.02
_LATEST = 12.0


class Network:
    """Loses, delays and repeats while `faulty`; a message that was sent travels on when its sender is dead."""

    def __init__(self, loop: SimulatedLoop, chance: Random) -> None:
        self._loop = loop
        self.chance = chance
        self._world = loop.within(WORLD)
        self.faulty = False

    def delay(self) -> float:
        """How long a message takes."""
        return self.chance.uniform(0.0001, _SLOWEST)

    def happens(self, share: float) -> bool:
        """Whether a fault strikes."""
        return self.faulty and self.chance.random() < share

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Let something happen that no process does."""
        self._loop.call_later(seconds, act, context=self._world)

    async def ask(self, serve: Callable[[], T], within: float) -> T:
        """Have `serve` done at the server and hear its answer. Raises what it raises, or TimeoutError.

        The question may be lost, or come late, when nobody waits any more; so may its answer.
        """
        answer: asyncio.Future[T] = self._loop.create_future()

        def arrive() -> None:
            settle: Callable[[], None]
            try:
                settle = partial(answer.set_result, serve())
            except Exception as error:  # noqa: BLE001 - the server's refusal is the answer
                settle = partial(answer.set_exception, error)
            if not self.happens(0.02):
                self.later(self.delay(), lambda: None if answer.done() else settle())

        if not self.happens(0.02):
            self.later(self.chance.uniform(0, _LATEST) if self.happens(0.02) else self.delay(), arrive)
        async with asyncio.timeout(within):
            return await answer

    def tell(self, hear: Callable[[], None], share_lost: float = 0.03) -> None:
        """Send a message that nobody confirms."""
        if not self.happens(share_lost):
            self.later(self.delay(), hear)
