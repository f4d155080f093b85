"""How many sources a coordinator takes in at once, so that none waits for a much longer one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

_AT_ONCE = 4
_LONG_AT_ONCE = 2
_SAY_EVERY = 20.0


class IntakeTurns:
    """A few intakes go on at once. One that turns out to be long leaves its place to the next request.

    It then waits for one of the places that long ones have among themselves.
    """

    def __init__(self, at_once: int = _AT_ONCE, long_at_once: int = _LONG_AT_ONCE) -> None:
        self._free = at_once
        self._long = asyncio.Semaphore(long_at_once)

    @property
    def free(self) -> int:
        """How many more requests may be taken in at present."""
        return max(self._free, 0)

    @contextmanager
    def begin(self) -> Iterator[IntakeTurn]:
        """A turn, over at the end of the block."""
        turn = IntakeTurn(self)
        self._free -= 1
        try:
            yield turn
        finally:
            turn.end()


class IntakeTurn:
    """One intake's turn: with the short ones, with the long ones, or over."""

    def __init__(self, turns: IntakeTurns) -> None:
        self._turns = turns
        self._is_short = True
        self._is_long = False

    async def becomes_long(self, going_on: Callable[[], Awaitable[object]]) -> None:
        """Wait for a place among the long ones; meanwhile `going_on` is called now and then."""
        self._leave_the_short()
        while not self._is_long:
            try:
                async with asyncio.timeout(_SAY_EVERY):
                    await self._turns._long.acquire()  # noqa: SLF001 - the two are one
                    self._is_long = True
            except TimeoutError:
                await going_on()

    def end(self) -> None:
        """Leave the place, once."""
        self._leave_the_short()
        self.source_is_read()

    def source_is_read(self) -> None:
        """Leave the long ones: what is still to do is mostly to wait for the carrier."""
        if self._is_long:
            self._turns._long.release()  # noqa: SLF001 - the two are one
            self._is_long = False

    def _leave_the_short(self) -> None:
        self._turns._free += self._is_short  # noqa: SLF001 - the two are one
        self._is_short = False
