"""What a process needs to do its work, asked anew at each probe.

A probe never waits longer than ANSWER_WITHIN, and a check that hangs (a dead network share, say) is not begun twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from shared.cancelling import cancel
from shared.telemetry import logger

ANSWER_WITHIN = 2.0

# What is lacking, in words that name no secret, or None.
Check = Callable[[], Awaitable[str | None]]

log = logger("health")


class Readiness:
    """The checks of one process, by name."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._asked: dict[str, asyncio.Task[str | None]] = {}

    def require(self, name: str, check: Check) -> None:
        """Have the process count as ready only where `check` finds nothing lacking."""
        self._checks[name] = check

    async def lacking(self) -> dict[str, str]:
        """What is lacking, by the check's name; nothing where the process is ready."""
        found = await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))
        return {name: lack for name, lack in zip(self._checks, found, strict=True) if lack is not None}

    async def close(self) -> None:
        """Give up the checks that still hang."""
        await cancel([task for task in self._asked.values() if not task.done()])

    async def _ask(self, name: str, check: Check) -> str | None:
        task = self._asked.get(name)
        if task is None or task.done():
            task = self._asked[name] = asyncio.ensure_future(check())
        await asyncio.wait((task,), timeout=ANSWER_WITHIN)
        if not task.done():
            return f"no answer in {ANSWER_WITHIN:g} s"
        error = task.exception()
        if error is not None:
            # The text of a driver's error may name more than a probe is to know.
            log.warning("a readiness check failed", check=name, error=type(error).__name__)
            return f"failed with {type(error).__name__}"
        return task.result()
