"""What a handler does with a message in hand: read it by hand, acknowledge it, or take it out of the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nats.aio.msg import Msg
from pydantic import ValidationError

from shared.telemetry import logger
from shared.telemetry.metrics import REJECTED

ReadT = TypeVar("ReadT")

log = logger("bus")


async def acknowledge(message: Msg) -> None:
    """Acknowledge. One that is lost brings the message again, and every handler bears that (docs/decisions/0002)."""
    await message.ack()


async def readable(message: Msg, read: Callable[[bytes], ReadT]) -> ReadT | None:
    """What a message says, by `read`; None for one that cannot be read, which is rejected.

    Raises NewerVersionError, upon which its Pull parks the message.
    """
    try:
        return read(message.data)
    except ValidationError:
        await reject(message)
        return None


async def reject(message: Msg) -> None:
    """Take a message that cannot be read out of the way, and say so; the advisory keeps its place in the stream."""
    REJECTED.inc()
    log.error("unreadable message rejected", subject=message.subject, size=len(message.data))
    await message.term()


def deliveries(message: Msg) -> int:
    """How many times this message has been delivered, this time included."""
    return message.metadata.num_delivered or 1
