"""A service's life on the bus: connect, bring the topology up, run until told to stop.

Every service is built the same way: its composition root makes a `Service`, registers handlers on `service.broker` by
`service.consume` and `service.answer`, and runs it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

import uvloop
from faststream.middlewares import AckPolicy
from faststream.nats import NatsMessage
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, ConnectionReconnectingError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, ServiceUnavailableError
from pydantic import ValidationError

from shared.bus import topology
from shared.bus.connecting import bus_access
from shared.bus.handling import acknowledge, deliveries, readable, reject
from shared.bus.link import STOP_GRACE, Link
from shared.bus.measuring import measure_lag, measure_loop, observed
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher
from shared.bus.pulling import Handler, Pull
from shared.bus.upkeep import Upkeep
from shared.cancelling import cancel
from shared.clock import utc_now
from shared.contracts import subjects
from shared.contracts.api import AskStatus, Reply, ServiceStatus
from shared.contracts.message import NewerVersionError
from shared.health.checks import consumers_exist
from shared.health.endpoint import Endpoint, serving
from shared.health.readiness import Check, Readiness
from shared.settings import ServiceSettings, exposed_secret_files
from shared.telemetry import configure, logger, tracing, work
from shared.telemetry.metrics import BUILD, PUBLISH_RETRIES, REGISTRY
from shared.version import VERSION

Answerer = Callable[[bytes], Awaitable[bytes]]
Background = Callable[[], Coroutine[Any, Any, None]]

# Far more than there are processors: a large file that is read or written holds its thread for long, and the small ones
# beside it must find another.
_THREADS = 64
# A database or file thread waits at most this long for the event loop's interpreter lock (the default is 5 ms).
_SWITCH_INTERVAL = 0.0003

log = logger("bus")

__all__ = ["STOP_GRACE", "Service", "acknowledge", "deliveries", "readable", "reject"]


class Service:
    """One process of a service; `name` is its name on the bus and in the logs.

    One service `owns_topology`: it brings up the streams and consumers, and again where they are gone. Another waits at
    its start until those in `needs` are there, and needs no right to change any.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        owns_topology: bool = False,
        needs: tuple[topology.Consumer, ...] = (),
    ) -> None:
        self.name = name
        self.settings = settings
        self.state = "starting"
        self._consumers: list[topology.Consumer] = []
        self._pulls: list[Pull] = []
        self._background: list[Background] = []
        self._to_the_end: list[Background] = []
        self._readiness = Readiness()
        self.require("service", self._runs)
        self.require("bus", self._is_connected)
        self.require("consumers", self._has_consumers)
        self._stopping = asyncio.Event()
        self._upkeep = Upkeep(self._stopping, settings.stream_replicas, owns=owns_topology, needs=needs)
        self._link = Link(name, bus_access(settings), is_stopping=self._stopping.is_set, end=self._stopping.set)
        self.broker = self._link.broker

    def consume(
        self,
        consumer: topology.Consumer,
        handler: Handler,
        *,
        concurrency: int,
        room: Callable[[], int] | None = None,
    ) -> None:
        """Deliver a durable consumer's messages to `handler`, at most `concurrency` at a time.

        Where `room` is given it says how many more it takes at present; the others are left to other processes.

        The handler validates the raw body itself and ends with an acknowledgement of its own; where it raises, the
        message comes again after its ack_wait; one of a newer version is parked.
        """
        self._consumers.append(consumer)
        pull = Pull(
            self.client,
            consumer,
            observed(consumer.durable, handler),
            self.parking,
            concurrency=concurrency,
            room=room,
        )
        self._pulls.append(pull)

    def answer(self, subject: str, answerer: Answerer) -> None:
        """Answer core requests on `subject`, one process of the service for each.

        Where `answerer` raises there is no answer: whoever asked waits for its time-out. A request of a newer version
        is answered with the `Reply` that says so.
        """

        async def reply(message: NatsMessage) -> None:
            try:
                with tracing.processing(subject, message.headers, message.body):
                    work.take(subject, message.body, tracing.trace_id())
                    answer = await answerer(message.body)
            except NewerVersionError as error:
                log.warning("a request of a newer version was refused", subject=subject, version=error.version)
                answer = Reply(error=error.body).encode()
            except Exception:
                log.exception("a request could not be answered", subject=subject)
                return
            await self.client.publish(message.reply_to, answer)

        # Without no_reply the handler's None would be a second, empty answer.
        self.broker.subscriber(
            subject, queue=self.name, max_workers=64, decoder=_whole, ack_policy=AckPolicy.MANUAL, no_reply=True
        )(reply)

    def background(self, run: Background, *, to_the_end: bool = False) -> None:
        """Run `run` beside the handlers, from the bus being up until the service stops; its error ends the service.

        With `to_the_end` it goes on until the messages in hand are done, and has the bus when it is cancelled.
        """
        (self._to_the_end if to_the_end else self._background).append(run)

    def require(self, name: str, check: Check) -> None:
        """Have `/readyz` say that the service is not ready where `check` finds something lacking."""
        self._readiness.require(name, check)

    @property
    def client(self) -> Client:
        """The NATS connection."""
        connection = self._link.connection
        if connection is None:
            raise RuntimeError("the bus is not connected yet")
        return connection

    @property
    def js(self) -> JetStreamContext:
        """JetStream on this connection."""
        return self.client.jetstream(timeout=5)

    @property
    def publisher(self) -> Publisher:
        """A publisher on this connection."""
        return Publisher(self.js, retried=lambda stream: PUBLISH_RETRIES.labels(stream).inc())

    @cached_property
    def parking(self) -> Parking:
        """Where messages of a newer version are left to an upgraded process."""
        return Parking(self.name, self.publisher)

    def run(self, start: Background | None = None, stop: Background | None = None) -> None:
        """Run until SIGTERM or SIGINT; `start` is called once the bus is connected, `stop` at the end.

        Raises what kept it from the bus, or E-4001 or E-5008 where the bus would not have it any longer.
        """
        configure(self.name, self.settings.log_level, self.settings.log_format)
        tracing.start(self.name, self.settings.otlp_endpoint)
        for exposed in exposed_secret_files():
            log.warning(
                "a file with a secret can be read by every user", setting=exposed.setting, path=str(exposed.path)
            )
        sys.setswitchinterval(_SWITCH_INTERVAL)
        BUILD.labels(self.name, VERSION).set(1)
        try:
            uvloop.run(self._run_in_sight(start, stop))
        finally:
            tracing.stop()

    async def _run_in_sight(self, start: Background | None, stop: Background | None) -> None:
        """Run, answering probes from before the bus is there to after it was left."""
        async with serving(Endpoint(self.name, self._readiness, REGISTRY), self.settings.http):
            try:
                await self._run(start, stop)
            finally:
                await self._readiness.close()

    async def _run(self, start: Background | None, stop: Background | None) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix=self.name))
        await self._link.connect()
        # From here a signal lets the messages in hand finish; before, it simply ends the process.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            if await self._upkeep.has_topology(self.js):
                await self._open(start)
                self.state = "running"
                self._link.is_starting = False
                log.info("running", pid=os.getpid())
                await self._serve()
        finally:
            try:
                await self.broker.stop()
            except* (ConnectionClosedError, ConnectionReconnectingError):
                log.info("the bus was away at the end")
                await self.client.close()
            if stop is not None:
                await stop()
            log.info("stopped")
        if self._link.ended_by is not None:
            raise self._link.ended_by

    async def _open(self, start: Background | None) -> None:
        """Bring up what the service needs before it runs; raises E-4001 where the bus goes away."""
        try:
            if start is not None:
                await start()
            self.broker.subscriber(subjects.STATUS, decoder=_whole, no_reply=True)(self._answer_status)
            await self.broker.start()
        except (NatsError, APIError, ServiceUnavailableError, TimeoutError) as error:
            raise self._link.unreachable from error

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            pulls = [pull.run for pull in self._pulls]
            lasting = [group.create_task(run()) for run in self._to_the_end]
            tasks = [group.create_task(run()) for run in (*pulls, *self._background, self._watch, *self._measures())]
            await self._stopping.wait()
            self.state = "stopping"
            await cancel(tasks)
            await asyncio.gather(*(pull.drain(STOP_GRACE) for pull in self._pulls))
            await cancel(lasting)

    async def _watch(self) -> None:
        await self._upkeep.watch(self.js, self._consumers)

    def _measures(self) -> Sequence[Background]:
        """What is measured for whoever asks by HTTP."""
        return (measure_loop, partial(measure_lag, self.js, self._consumers)) if self.settings.http.port else ()

    async def _answer_status(self, message: NatsMessage) -> None:
        try:
            asked = AskStatus.model_validate_json(message.body)
        except (ValidationError, NewerVersionError):
            asked = AskStatus()  # whoever asks in other words, or in none, is told who is there
        status = ServiceStatus(
            name=self.name,
            pid=os.getpid(),
            state=self.state,
            host=socket.gethostname(),
            parked=self.parking.parked,
            release=VERSION,
            at=utc_now(),
            lacking=await self._readiness.lacking() if asked.checks else None,
        )
        await self.client.publish(message.reply_to, status.encode())

    async def _runs(self) -> str | None:
        return None if self.state == "running" else self.state

    async def _is_connected(self) -> str | None:
        return None if self._link.is_connected else "not connected"

    async def _has_consumers(self) -> str | None:
        if await self._is_connected() is not None:
            return "not known without the bus"
        return await consumers_exist(self.js, self._consumers)


async def _whole(message: NatsMessage) -> NatsMessage:
    """Handlers get the message as it came: bodies are validated by hand, so that poison becomes a rejection."""
    return message
