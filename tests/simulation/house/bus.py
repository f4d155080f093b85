"""A NATS server in the small and a process's connection to it, as nats-py offers it to the product's own bus code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import PubAck, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from shared.bus.topology import ACK_WAIT, Consumer
from shared.clock import Clock
from shared.contracts import subjects
from shared.telemetry import logger
from tests.simulation.house.loop import Process, SimulatedLoop
from tests.simulation.house.network import Network
from tests.simulation.house.streams import StoredMessage, Stream, refusal

log = logger("simulation")

Handler = Callable[[Any], Awaitable[None]]
Answerer = Callable[[bytes], Awaitable[bytes]]

_PAUSE = 0.01
_NOBODY_THERE = 0.5


@dataclass
class Server:
    """The streams, who takes messages from them, and who answers what; away while it is down."""

    loop: SimulatedLoop
    network: Network
    clock: Clock
    chance: Random
    streams: dict[str, Stream] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    down: bool = False
    compare_and_set: bool = True

    def lose_the_store(self) -> None:
        """The server was killed and its store deleted; every connection is a new one."""
        self.streams.clear()
        self.reconnect()

    def reconnect(self) -> None:
        """Every connection was lost and made again; no delivery in hand is known any more by its inbox."""
        for connection in self.connections:
            connection.stats["reconnects"] += 1

    def stream(self, name: str) -> Stream:
        """A stream by name. Raises NotFoundError."""
        if name not in self.streams:
            raise refusal(NotFoundError, 10059, "stream not found")
        return self.streams[name]

    def create(self, config: StreamConfig) -> Stream:
        """Make a stream. Raises BadRequestError where another of its name is there."""
        name = str(config.name)
        if name in self.streams and self.streams[name].config != config:
            raise refusal(BadRequestError, 10058, "stream name already in use with a different configuration")
        return self.streams.setdefault(name, Stream(config, self.clock(), (config.first_seq or 1) - 1))

    def offer(self, stream: Stream, message: StoredMessage) -> None:
        """Deliver a message to one of those who take it, again and again until it is acknowledged."""
        if message.acknowledged or self.streams.get(str(stream.config.name)) is not stream:
            return
        held_for = 0.0 if message.held_until is None else (message.held_until - self.clock()).total_seconds()
        if held_for > 0:
            self.network.later(held_for + _PAUSE, lambda: self.offer(stream, message))
            return
        takers = [] if self.down else [taker for one in self.connections for taker in one.takers(stream, message)]
        if takers:
            self._hand_over(stream, message, *self.chance.choice(takers))
        self.network.later(ACK_WAIT if takers else _NOBODY_THERE, lambda: self.offer(stream, message))

    def _hand_over(self, stream: Stream, message: StoredMessage, connection: Connection, handler: Handler) -> None:
        message.deliveries += 1
        message.held_until = self.clock() + timedelta(seconds=ACK_WAIT)
        delivery = Delivery(self, stream, message, message.deliveries)

        async def handle() -> None:
            try:
                await handler(delivery)
            except Exception:
                # As shared.bus.pulling does: the message comes again.
                log.exception("handler failed")

        def begin() -> None:
            connection.spawn(handle())

        self.network.tell(begin, share_lost=0.02)


class Delivery:
    """One delivery of a message, as nats-py's `Msg`."""

    def __init__(self, server: Server, stream: Stream, message: StoredMessage, number: int) -> None:
        self._server = server
        self._stream = stream
        self._message = message
        self.subject = message.subject
        self.data = message.data
        self.headers = None
        self.metadata = SimpleNamespace(
            num_delivered=number, stream=stream.config.name, sequence=SimpleNamespace(stream=message.sequence)
        )

    async def ack(self) -> None:
        """Acknowledge, without waiting for the server."""
        self._server.network.tell(self._acknowledged)

    async def term(self) -> None:
        """Take an unreadable message out of the way."""
        await self.ack()

    async def in_progress(self) -> None:
        """Say that the message is being worked on."""
        self._server.network.tell(self._hold)

    def _acknowledged(self) -> None:
        if not self._server.down:
            self._stream.acknowledge(self._message.sequence)

    def _hold(self) -> None:
        if not self._server.down:
            self._message.held_until = self._server.clock() + timedelta(seconds=ACK_WAIT)


class Connection:
    """A process's connection: nats-py's `Client` and `JetStreamContext` in one, as far as the product uses them."""

    def __init__(self, server: Server, process: Process) -> None:
        self.stats = {"reconnects": 0}
        self._server = server
        self._process = process
        self._context = server.loop.within(process)
        self._consumers: list[tuple[Consumer, Handler]] = []
        self._answerers: dict[str, Answerer] = {}
        server.connections.append(self)

    def close(self) -> None:
        """The process died: the server sees its connection gone."""
        self._server.connections.remove(self)

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Run `work` in this connection's process."""
        return self._server.loop.create_task(work, context=self._context)

    def consume(self, consumer: Consumer, handler: Handler) -> None:
        """Take the messages of a durable consumer, side by side with others."""
        self._consumers.append((consumer, handler))

    def answer(self, subject: str, answerer: Answerer) -> None:
        """Answer requests."""
        self._answerers[subject] = answerer

    def takers(self, stream: Stream, message: StoredMessage) -> list[tuple[Connection, Handler]]:
        """This connection, where it takes messages like this one."""
        if not self._process.alive:
            return []
        return [
            (self, handler)
            for consumer, handler in self._consumers
            if consumer.stream == stream.config.name and _matches(consumer.filter, message.subject)
        ]

    # nats-py's Client.

    def jetstream(self, timeout: float = 5) -> Connection:
        """The JetStream side."""
        del timeout
        return self

    async def request(
        self,
        subject: str,
        payload: bytes,
        timeout: float = 5,  # noqa: ASYNC109 - nats-py's
        headers: dict[str, str] | None = None,  # noqa: ARG002 - traces are not simulated
    ) -> Any:
        """Ask one of those who answer."""
        able = [one for one in self._server.connections if subject in one._answerers and one._process.alive]
        if not able:
            raise NoRespondersError
        other = self._server.chance.choice(able)
        answering = other.spawn(other._answerers[subject](payload))
        try:
            async with asyncio.timeout(timeout):
                while not answering.done():
                    await asyncio.sleep(self._server.network.delay())
                    if not other._process.alive:
                        raise NatsTimeoutError
        except TimeoutError as error:
            raise NatsTimeoutError from error
        return SimpleNamespace(data=answering.result())

    # nats-py's JetStreamContext.

    async def publish(
        self,
        subject: str,
        payload: bytes,
        timeout: float,  # noqa: ASYNC109 - nats-py's signature
        stream: str,
        headers: dict[str, str],
    ) -> PubAck:
        """Publish and hear the server's confirmation."""
        expected = headers.get("Nats-Expected-Last-Subject-Sequence") if self._server.compare_and_set else None

        def serve() -> PubAck:
            into = self._server.stream(stream)
            after = None if expected is None else int(expected)
            message, duplicate = into.publish(subject, payload, headers["Nats-Msg-Id"], after, self._server.clock())
            if not duplicate and stream != subjects.EVENTS:
                self._server.network.later(_PAUSE, lambda: self._server.offer(into, message))
            return PubAck(stream, message.sequence, duplicate=duplicate)

        return await self._ask(serve, timeout)

    async def get_last_msg(self, stream: str, subject: str) -> Any:
        """The last message of a subject. Raises NotFoundError."""

        def serve() -> Any:
            found = self._server.stream(stream).last(subject)
            if found is None:
                raise refusal(NotFoundError, 10037, "no message found")
            return SimpleNamespace(seq=found.sequence, data=found.data)

        return await self._ask(serve)

    async def get_msg(self, stream: str, sequence: int) -> Any:
        """A message by its sequence. Raises NotFoundError."""

        def serve() -> Any:
            found = self._server.stream(stream).messages.get(sequence)
            if found is None:
                raise refusal(NotFoundError, 10037, "no message found")
            return SimpleNamespace(seq=sequence, data=found.data)

        return await self._ask(serve)

    async def delete_msg(self, stream: str, sequence: int) -> None:
        """Take a message out."""
        await self._ask(lambda: self._server.stream(stream).delete(sequence))

    async def stream_info(self, name: str) -> Any:
        """A stream's age, length and settings."""

        def serve() -> Any:
            stream = self._server.stream(name)
            return SimpleNamespace(
                created=stream.created, state=SimpleNamespace(last_seq=stream.last_sequence), config=stream.config
            )

        return await self._ask(serve)

    async def add_stream(self, config: StreamConfig) -> None:
        """Make a stream."""
        await self._ask(lambda: self._server.create(config))

    async def update_stream(self, config: StreamConfig) -> None:
        """The settings never change here."""
        await self._ask(lambda: self._server.stream(str(config.name)))

    async def delete_stream(self, name: str) -> None:
        """Forget a stream."""
        await self._ask(lambda: self._server.streams.pop(name, None))

    async def add_consumer(self, stream: str, _config: Any) -> None:
        """Consumers are those who take."""
        await self._ask(lambda: self._server.stream(stream))

    async def _ask(self, serve: Callable[[], Any], timeout: float = 5) -> Any:  # noqa: ASYNC109 - nats-py's way
        def unless_down() -> Any:
            if self._server.down:
                raise NatsTimeoutError
            return serve()

        try:
            return await self._server.network.ask(unless_down, timeout)
        except TimeoutError as error:
            raise NatsTimeoutError from error


def _matches(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    for number, token in enumerate(wanted):
        if token == ">":
            return len(given) > number
        if number >= len(given) or token not in {"*", given[number]}:
            return False
    return len(wanted) == len(given)
