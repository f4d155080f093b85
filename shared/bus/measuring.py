"""What a service measures of itself while it runs: its event loop, and how far its consumers are behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, ServiceUnavailableError

from shared.bus.topology import Consumer
from shared.contracts.message import NewerVersionError
from shared.telemetry import tracing, work
from shared.telemetry.metrics import ACK_PENDING, HANDLED, LOOP_LAG, PENDING, REDELIVERED

_LOOP_EVERY = 0.25
_LAG_EVERY = 5.0


async def measure_loop() -> None:
    """Observe how late the event loop wakes a timer, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LOOP_EVERY
        await asyncio.sleep(_LOOP_EVERY)
        LOOP_LAG.observe(max(0.0, loop.time() - due))


async def measure_lag(js: JetStreamContext, consumers: Sequence[Consumer]) -> None:
    """Ask the server how far `consumers` are behind, for ever; while it does not say, the last answer stands."""
    while True:
        for consumer in consumers:
            try:
                info = await js.consumer_info(consumer.stream, consumer.durable)
            except (NatsError, APIError, ServiceUnavailableError, TimeoutError):
                continue  # the service's own watch says that the bus is away
            PENDING.labels(consumer.durable).set(info.num_pending or 0)
            ACK_PENDING.labels(consumer.durable).set(info.num_ack_pending or 0)
        await asyncio.sleep(_LAG_EVERY)


def observed(durable: str, handler: Callable[[Msg], Awaitable[None]]) -> Callable[[Msg], Awaitable[None]]:
    """`handler`, its messages counted, traced, and named in what is logged meanwhile."""
    done, failed, parked = (HANDLED.labels(durable, result) for result in ("done", "failed", "parked"))
    redelivered = REDELIVERED.labels(durable)

    async def handle(message: Msg) -> None:
        if (message.metadata.num_delivered or 1) > 1:
            redelivered.inc()
        try:
            with tracing.processing(message.subject, message.headers, message.data, durable):
                work.take(message.subject, message.data, tracing.trace_id())
                await handler(message)
        except NewerVersionError:
            parked.inc()
            raise
        except BaseException:
            failed.inc()
            raise
        done.inc()

    return handle
