"""Work that is done again and again for as long as a service runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from structlog.stdlib import BoundLogger


async def repeat(action: Callable[[], Awaitable[None]], *, every: float, log: BoundLogger) -> None:
    """Do `action`, wait `every` seconds, for ever; a round that fails (the bus is away) is logged and made again."""
    while True:
        try:
            await action()
        except Exception:
            log.exception("round failed; the next one tries again")
        await asyncio.sleep(every)
