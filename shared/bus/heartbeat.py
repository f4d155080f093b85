"""Tells JetStream that a message is being worked on, for as long as it is and not a moment longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.bus.topology import HEARTBEAT
from shared.telemetry import logger

log = logger("bus")


@asynccontextmanager
async def heartbeat(message: Msg) -> AsyncIterator[None]:
    """Extend the message's ack_wait every HEARTBEAT seconds until the block ends, however it ends.

    A heartbeat that outlived its block would keep the message from ever being delivered again.
    """
    loop = asyncio.get_running_loop()
    state: dict[str, asyncio.TimerHandle | asyncio.Task[None]] = {}

    def beat() -> None:
        state["beating"] = loop.create_task(_in_progress(message))
        state["timer"] = loop.call_later(HEARTBEAT, beat)

    state["timer"] = loop.call_later(HEARTBEAT, beat)
    try:
        yield
    finally:
        for pending in state.values():
            pending.cancel()


async def _in_progress(message: Msg) -> None:
    try:
        await message.in_progress()
    except NatsError as error:
        # The bus is away: it will redeliver, and the ledger decides who owns the row.
        log.warning("heartbeat failed", subject=message.subject, error=repr(error))
