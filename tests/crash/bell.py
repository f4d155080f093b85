"""Waiting for what other threads and processes bring about: named conditions, looked at whenever something happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 90.0


class Bell:
    """Rung whenever something happened; whoever waits looks again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Have all who wait look again."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def ring_from_thread(self) -> None:
        """The same, from another thread; nobody waits any more once the loop is closed."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.ring)

    async def until(
        self, found: Callable[[], T | None], what: str, *, within: float = PATIENCE, look_every: float | None = None
    ) -> T:
        """The first true answer of `found`, which is asked at every ring, and where nothing rings `look_every` seconds.

        Raises TimeoutError that names `what` after `within` seconds.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + within
        while True:
            rung = self._rung
            answer = found()
            if answer:
                return answer
            left = ends - loop.time()
            if left <= 0:
                raise TimeoutError(f"waited {within:g} s for {what}")
            try:
                async with asyncio.timeout(left if look_every is None else min(left, look_every)):
                    await rung.wait()
            except TimeoutError:
                continue
