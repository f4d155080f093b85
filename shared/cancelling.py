"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

_AGAIN_AFTER = 0.5


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they are over.

    Before Python 3.12 `asyncio.wait_for`, by which the bus's client awaits its answers, loses a cancellation that comes
    together with the answer; a loop around it would then go on for ever.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_AFTER)


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do several things at once. The first that fails ends the others, and its exception is raised as it is."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        await cancel(tasks)
