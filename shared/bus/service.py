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
from typing import Any, TypeVar

import uvloop
from faststream.middlewares import AckPolicy
from faststream.nats import NatsBroker, NatsMessage
from faststream.nats.security import NatsSecurity, NatsUserPassword
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, ConnectionReconnectingError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, ServiceUnavailableError
from pydantic import ValidationError

from shared.bus import topology
from shared.bus.connecting import bus_access
from shared.bus.measuring import measure_lag, measure_loop, observed
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher
from shared.bus.pulling import Handler, Pull
from shared.bus.renewal import Renewal
from shared.cancelling import cancel
from shared.clock import utc_now
from shared.contracts import subjects
from shared.contracts.api import AskStatus, Reply, ServiceStatus
from shared.contracts.message import NewerVersionError
from shared.errors import BUS_CREDENTIALS_REFUSED, BUS_PERMISSION_MISSING, BUS_UNREACHABLE, TOPOLOGY_MISSING, TallyError
from shared.health.checks import consumers_exist
from shared.health.endpoint import Endpoint, serving
from shared.health.readiness import Check, Readiness
from shared.settings import ServiceSettings, exposed_secret_files
from shared.telemetry import configure, logger, tracing, work
from shared.telemetry.metrics import BUILD, PUBLISH_RETRIES, REGISTRY, REJECTED
from shared.version import VERSION

ReadT = TypeVar("ReadT")
Answerer = Callable[[bytes], Awaitable[bytes]]
Background = Callable[[], Coroutine[Any, Any, None]]

WATCH_INTERVAL = 2.0
CONNECT_FOR = 60.0
TOPOLOGY_FOR = 120.0
STOP_GRACE = 15.0
_LOOK_EVERY = 0.2
# Far more than there are processors: a large file that is read or written holds its thread for long, and the small ones
# beside it must find another.
_THREADS = 64
# A database or file thread waits at most this long for the event loop's interpreter lock (the default is 5 ms).
_SWITCH_INTERVAL = 0.0003

log = logger("bus")


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
        self._owns_topology = owns_topology
        self._needs = needs
        self._consumers: list[topology.Consumer] = []
        self._pulls: list[Pull] = []
        self._background: list[Background] = []
        self._to_the_end: list[Background] = []
        self._readiness = Readiness()
        self.require("service", self._runs)
        self.require("bus", self._is_connected)
        self.require("consumers", self._has_consumers)
        self._stopping = asyncio.Event()
        self._access = bus_access(settings)
        self._told = ""
        self._ended_by: TallyError | None = None
        options = self._access.options()
        self.broker = NatsBroker(
            options["servers"],
            inbox_prefix=options["inbox_prefix"],
            security=_security(options),
            name=f"tally-{name}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=5,
            max_outstanding_pings=2,
            graceful_timeout=STOP_GRACE,
            error_cb=self._failed,
            closed_cb=self._closed,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            apply_types=False,
            logger=None,
        )

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
        connection = self._connection
        if connection is None:
            raise RuntimeError("the bus is not connected yet")
        return connection

    @property
    def _connection(self) -> Client | None:
        return self.broker._connection  # noqa: SLF001 - FastStream has no public accessor

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
        await self._connect()
        # From here a signal lets the messages in hand finish; before, it simply ends the process.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        try:
            if await self._has_topology():
                await self._open(start)
                self.state = "running"
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
        if self._ended_by is not None:
            raise self._ended_by

    async def _connect(self) -> None:
        """Connect, trying for CONNECT_FOR seconds; raises TallyError E-4001, or E-5008 or E-5009 at once."""
        try:
            async with asyncio.timeout(CONNECT_FOR):
                await self.broker.connect()
        except (NatsError, OSError, TimeoutError) as error:
            raise TallyError(BUS_UNREACHABLE, url=self._access.shown) from error

    async def _has_topology(self) -> bool:
        """Bring the streams and consumers up, or wait until they are; False where it is told to stop meanwhile.

        Raises E-4061 where the bus keeps no streams, E-5011 where nobody brings them up in TOPOLOGY_FOR seconds.
        """
        if self._owns_topology:
            await topology.apply_once_possible(self.js, self.settings.stream_replicas, within=TOPOLOGY_FOR)
            return True
        try:
            async with asyncio.timeout(TOPOLOGY_FOR):
                while not await self._sees_its_consumers():
                    if await self._told_to_stop_within(_LOOK_EVERY):
                        return False
        except TimeoutError as error:
            missing = ", ".join(consumer.durable for consumer in self._needs)
            raise TallyError(TOPOLOGY_MISSING, consumers=missing, seconds=f"{TOPOLOGY_FOR:g}") from error
        return True

    async def _sees_its_consumers(self) -> bool:
        try:
            if not await topology.is_missing(self.js, self._needs):
                return True
            reason = "no coordinator brought them up"
        except (NatsError, APIError) as error:
            reason = str(error) or type(error).__name__
        if reason != self._told:
            self._told = reason
            log.info("waiting for the streams", reason=reason)
        return False

    async def _told_to_stop_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _open(self, start: Background | None) -> None:
        """Bring up what the service needs before it runs; raises E-4001 where the bus goes away."""
        try:
            if start is not None:
                await start()
            self.broker.subscriber(subjects.STATUS, decoder=_whole, no_reply=True)(self._answer_status)
            await self.broker.start()
        except (NatsError, APIError, ServiceUnavailableError, TimeoutError) as error:
            raise TallyError(BUS_UNREACHABLE, url=self._access.shown) from error

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

    def _measures(self) -> Sequence[Background]:
        """What is measured for whoever asks by HTTP."""
        return (measure_loop, partial(measure_lag, self.js, self._consumers)) if self.settings.http.port else ()

    async def _watch(self) -> None:
        """Notice that a consumer or a stream is gone (a deleted store, say); the owner brings them up again."""
        renewal = Renewal(self.js)
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            try:
                if self._owns_topology:
                    await self._mend_topology(renewal)
                elif await topology.is_missing(self.js, tuple(self._consumers)):
                    log.warning("a consumer is gone; a coordinator brings it up again")
            except (NatsError, APIError, ServiceUnavailableError, TimeoutError) as error:
                log.warning("the bus is away", error=repr(error))

    async def _mend_topology(self, renewal: Renewal) -> None:
        if await topology.is_missing(self.js, topology.CONSUMERS):
            log.warning("a consumer is gone; bringing the topology up again")
            await topology.apply(self.js, self.settings.stream_replicas)
        await renewal.round()

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
        return None if self._connection is not None and self._connection.is_connected else "not connected"

    async def _has_consumers(self) -> str | None:
        if await self._is_connected() is not None:
            return "not known without the bus"
        return await consumers_exist(self.js, self._consumers)

    async def _failed(self, error: Exception) -> None:
        """Say why the bus refuses us; what merely failed is tried again, and said where it is noticed.

        Before the first connection a refusal ends the process, and so does a change of the credentials afterwards:
        whoever starts it anew reads the secrets anew. A missing permission or a certificate may yet be mended.
        """
        refusal = self._access.refusal(error)
        if refusal is None:
            return
        if self.state == "starting" and refusal.kind is not BUS_PERMISSION_MISSING:
            raise refusal from error
        if str(refusal) != self._told:
            self._told = str(refusal)
            log.error("the bus refused", code=refusal.kind.code, reason=self._told)
        if refusal.kind is BUS_CREDENTIALS_REFUSED:
            self._end(refusal)

    async def _closed(self) -> None:
        if not self._stopping.is_set():
            log.error("the bus connection closed for good; ending so that a supervisor starts anew")
            refusal = self._access.refusal(self.client.last_error) if self.client.last_error else None
            self._end(refusal or TallyError(BUS_UNREACHABLE, url=self._access.shown))

    def _end(self, error: TallyError) -> None:
        self._ended_by = error
        self._stopping.set()

    async def _disconnected(self) -> None:
        if not self._stopping.is_set():
            log.warning("disconnected from the bus")

    async def _reconnected(self) -> None:
        log.info("reconnected to the bus")


def _security(options: dict[str, Any]) -> NatsSecurity:
    """The user and TLS of nats-py's options, as FastStream takes them."""
    tls = options.get("tls")
    if "user" in options:
        return NatsUserPassword(
            options["user"], options["password"], ssl_context=tls, tls_handshake_first=tls is not None
        )
    return NatsSecurity(ssl_context=tls, tls_handshake_first=tls is not None)


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


async def _whole(message: NatsMessage) -> NatsMessage:
    """Handlers get the message as it came: bodies are validated by hand, so that poison becomes a rejection."""
    return message
