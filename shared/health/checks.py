"""Checks that several services share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from shared.bus.topology import Consumer


async def roots_are_there(roots: Sequence[Path]) -> str | None:
    """Whether each source root is a folder."""
    missing = await asyncio.to_thread(lambda: [str(root) for root in roots if not root.is_dir()])
    return f"no such folder: {', '.join(missing)}" if missing else None


async def consumers_exist(js: JetStreamContext, consumers: Sequence[Consumer]) -> str | None:
    """Whether the server has each of `consumers`."""
    missing = []
    for consumer in consumers:
        try:
            await js.consumer_info(consumer.stream, consumer.durable)
        except NotFoundError:
            missing.append(consumer.durable)
        except (NatsError, APIError, TimeoutError) as error:
            return f"the bus gave no answer ({type(error).__name__})"
    return f"no such consumer: {', '.join(missing)}" if missing else None
