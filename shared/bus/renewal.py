"""Has a consumer begin anew that waits behind its stream's end, for messages that the stream is to count up to first.

A cluster whose servers restart forgets where a stream counts from that never had a message, and counts from 1; its
consumers remember, and would pass over whatever comes (seen with nats-server 2.15.1, three copies). So they would where
a stream's store was put back.
"""

from __future__ import annotations

from collections import Counter

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from shared.bus.topology import CONSUMERS, Consumer
from shared.telemetry import logger

log = logger("bus")

# A leader that was just elected may still be counting.
_ROUNDS = 3


class Renewal:
    """Looks at every consumer, and renews one that was found stranded in three rounds running."""

    def __init__(self, js: JetStreamContext) -> None:
        self._js = js
        self._rounds: Counter[Consumer] = Counter()

    async def round(self) -> None:
        """Look at all of them once; raises what JetStream's API raises."""
        found = await stranded(self._js)
        self._rounds = Counter({consumer: self._rounds[consumer] + 1 for consumer in found})
        for consumer in [one for one in found if self._rounds[one] >= _ROUNDS]:
            log.error("a consumer is behind its stream's end; it begins anew", consumer=consumer.durable)
            await self._renew(consumer)
            del self._rounds[consumer]

    async def _renew(self, consumer: Consumer) -> None:
        """Whatever is delivered again does no harm."""
        try:
            await self._js.delete_consumer(consumer.stream, consumer.durable)
        except NotFoundError:
            log.info("another process renews the consumer", consumer=consumer.durable)
        await self._js.add_consumer(consumer.stream, consumer.config())


async def stranded(js: JetStreamContext) -> set[Consumer]:
    """The consumers that were given a message beyond the last one of their stream."""
    given = {}
    for consumer in CONSUMERS:
        info = await js.consumer_info(consumer.stream, consumer.durable)
        given[consumer] = info.delivered.stream_seq if info.delivered is not None else 0
    # After the consumers: what they have been given meanwhile is counted in.
    ends = {stream: (await js.stream_info(stream)).state.last_seq for stream in {one.stream for one in CONSUMERS}}
    return {consumer for consumer, sequence in given.items() if sequence > ends[consumer.stream]}
