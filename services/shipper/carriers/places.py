"""The places of one process among an account's calls: who gets the next one, and when.

A purchase goes before a quote wherever both wait; an eighth of the places is never taken by quotes, and where purchases
wait all the time every eighth place that gets free goes to a quote, so that a preview goes on as well.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from shared.clock import SteadyClock, steady_now

_RESERVED_SHARE = 8
_BULK_TURN = 8


class Turn:
    """A place, held until it is released; one that was released, or never held, holds nothing."""

    __slots__ = ("_give_back", "calls")

    def __init__(self, give_back: Callable[[], None] | None = None) -> None:
        self._give_back = give_back
        self.calls = 0

    @property
    def held(self) -> bool:
        """Whether it holds a place."""
        return self._give_back is not None

    def release(self) -> None:
        """Give the place back, once."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Places:
    """At most `count` calls at once, and `per_second` (0: any number) begun in a second, while the lease lasts."""

    def __init__(self, count: int, *, per_second: float = 0.0, steady: SteadyClock = steady_now) -> None:
        self._count = count
        self._per_second = per_second
        self._steady = steady
        self._until = math.inf
        self._in_use = 0
        self._bulk_in_use = 0
        self._first: deque[asyncio.Future[None]] = deque()
        self._bulk: deque[asyncio.Future[None]] = deque()
        self._next_start = 0.0
        self._passed_over = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> int:
        """How many are held."""
        return self._in_use

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    @property
    def is_open(self) -> bool:
        """Whether there are any: none where other processes have them all, or the lease is over."""
        return self._count > 0 and self._steady() < self._until

    def allot(self, count: int, *, until: float, per_second: float) -> None:
        """Have so many places until a moment of the steady clock, and so many starts in a second (0: any number)."""
        self._count, self._until, self._per_second = count, until, per_second
        self._hand_out()

    async def take(self, *, bulk: bool = False) -> Turn:
        """The next place, after those who wait longer and, for `bulk`, after everybody else."""
        if not self._may_start(bulk=bulk):
            waiting = self._bulk if bulk else self._first
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting.append(place)
            self._hand_out()
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._give_back(bulk=bulk)
                raise
        else:
            self._start(bulk=bulk)
        return Turn(lambda: self._give_back(bulk=bulk))

    async def pace(self) -> None:
        """Wait until a further call within a turn may start."""
        if self._per_second:
            now = self._steady()
            start = max(now, self._next_start)
            self._next_start = start + 1 / self._per_second
            await asyncio.sleep(start - now)

    def _may_start(self, *, bulk: bool) -> bool:
        """Whether a call of this kind may start at once: nobody is waiting before it."""
        ahead = self._first or (bulk and self._bulk)
        return not ahead and self._has_room(bulk=bulk) and self._steady() >= self._next_start

    def _has_room(self, *, bulk: bool) -> bool:
        if self._in_use >= self._count or self._steady() >= self._until:
            return False
        reserved = max(1, self._count // _RESERVED_SHARE)
        return not bulk or self._bulk_in_use < max(1, self._count - reserved)

    def _start(self, *, bulk: bool) -> None:
        self._in_use += 1
        self._bulk_in_use += bulk
        if self._per_second:
            self._next_start = max(self._steady(), self._next_start) + 1 / self._per_second

    def _give_back(self, *, bulk: bool) -> None:
        self._in_use -= 1
        self._bulk_in_use -= bulk
        self._hand_out()

    def _hand_out(self) -> None:
        """Let those start who may, in their order."""
        while (bulk := self._next_is_bulk()) is not None and self._has_room(bulk=bulk):
            if (pause := self._next_start - self._steady()) > 0:
                self._look_again_in(pause)
                return
            self._passed_over = 0 if bulk else self._passed_over + bool(self._bulk)
            self._start(bulk=bulk)
            (self._bulk if bulk else self._first).popleft().set_result(None)

    def _next_is_bulk(self) -> bool | None:
        """Whether the next one to start is a quote; None where nobody waits who could."""
        for waiting in (self._first, self._bulk):
            while waiting and waiting[0].done():
                waiting.popleft()
        if self._bulk and (not self._first or self._passed_over >= _BULK_TURN - 1) and self._has_room(bulk=True):
            return True
        return False if self._first else None

    def _look_again_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._hand_out)
