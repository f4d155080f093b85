"""Every stream and durable consumer, as data, and the one function that brings a server to it.

Services declare nothing: FastStream would change a stream's settings by declaring it, and an existing durable ignores
new configuration, so both are upserted here before a broker starts. The facts behind each setting are in
docs/decisions/0002-bus.md.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import stamina
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BadRequestError, NotFoundError

from shared.clock import Clock, utc_now
from shared.contracts import subjects
from shared.errors import BUS_NOT_READY, TallyError
from shared.telemetry import logger

ACK_WAIT = 5.0
HEARTBEAT = 1.5
_DAY = 86_400.0
# A job keeps so many progress events of some 2 kB each; every other type of event comes a few times at most.
MOST_EVENTS = 1000
_MADE_MEANWHILE = 10058
_NO_CLUSTER = (10052, 10074)

log = logger("bus")


@dataclass(frozen=True)
class Consumer:
    """A durable pull consumer: its name, its stream and the subjects it takes.

    At most `in_hand` messages are with all its processes together, not yet acknowledged.
    """

    durable: str
    stream: str
    filter: str
    in_hand: int = 10_000

    def config(self) -> ConsumerConfig:
        """The consumer as JetStream wants it: explicit acks, no end to deliveries (attempts are counted elsewhere)."""
        return ConsumerConfig(
            durable_name=self.durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT,
            max_deliver=-1,
            max_ack_pending=self.in_hand,
            filter_subject=self.filter,
        )


# A request in hand has a source open: the others wait in the stream, whatever the number of coordinators.
JOB_REQUESTS = Consumer("coordinator-requests", subjects.REQUESTS, subjects.ALL_REQUESTS, in_hand=256)
LEDGER_ENTRIES = Consumer("coordinator-ledger", subjects.LEDGER, subjects.EVERYTHING)
WRITEBACK_OUTCOMES = Consumer("coordinator-writeback", subjects.OUTCOMES, subjects.ALL_WRITEBACK_OUTCOMES)
ABANDONED_COMMANDS = Consumer("coordinator-abandoned", subjects.OUTCOMES, subjects.ALL_ABANDONED)
VOID_OUTCOMES = Consumer("coordinator-void", subjects.OUTCOMES, subjects.ALL_VOID_OUTCOMES)
SHIP_COMMANDS = Consumer("shipper", subjects.COMMANDS, subjects.ALL_SHIP_COMMANDS)
VOID_COMMANDS = Consumer("shipper-void", subjects.COMMANDS, subjects.ALL_VOID_COMMANDS)
WRITEBACK_COMMANDS = Consumer("writeback", subjects.COMMANDS, subjects.ALL_WRITEBACK_COMMANDS)
CONSUMERS = (
    JOB_REQUESTS,
    LEDGER_ENTRIES,
    WRITEBACK_OUTCOMES,
    VOID_OUTCOMES,
    ABANDONED_COMMANDS,
    SHIP_COMMANDS,
    VOID_COMMANDS,
    WRITEBACK_COMMANDS,
)


def streams(replicas: int) -> tuple[StreamConfig, ...]:
    """Every stream, each in `replicas` copies."""
    return (
        StreamConfig(
            name=subjects.REQUESTS,
            subjects=[subjects.ALL_REQUESTS],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            num_replicas=replicas,
        ),
        # One message per subject: the server itself refuses row n+1 of a job while row n is unacknowledged.
        StreamConfig(
            name=subjects.COMMANDS,
            subjects=[subjects.ALL_COMMANDS],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_msgs_per_subject=1,
            discard_new_per_subject=True,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=subjects.LEDGER,
            subjects=[subjects.ALL_LEDGER, subjects.ALL_LATE_LEDGER],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=subjects.OUTCOMES,
            subjects=[subjects.ALL_OUTCOMES],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=subjects.EVENTS,
            subjects=[subjects.ALL_EVENTS],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_msgs_per_subject=MOST_EVENTS,
            max_age=30 * _DAY,
            num_replicas=replicas,
        ),
        # A register: only the last word on an account counts.
        StreamConfig(
            name=subjects.PLACES,
            subjects=[subjects.ALL_PLACES],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_msgs_per_subject=1,
            num_replicas=replicas,
        ),
        StreamConfig(
            name=subjects.PARKED,
            subjects=[subjects.ALL_PARKED],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_age=30 * _DAY,
            max_msgs_per_subject=1,
            num_replicas=replicas,
        ),
    )


async def apply(js: JetStreamContext, replicas: int = 1, clock: Clock = utc_now) -> None:
    """Create what is missing and update what differs; safe to run from several processes at once.

    Streams that have more copies, or more subjects, keep them: a process with a forgotten setting, or of an older
    release, takes nothing away. Consumers are kept in as many copies as their streams.
    """
    for stream in streams(replicas):
        try:
            found = await js.stream_info(str(stream.name))
        except NotFoundError:
            await create(js, stream, clock)
        else:
            await js.update_stream(_taking_nothing_away(stream, found.config))
    for consumer in CONSUMERS:
        await js.add_consumer(consumer.stream, consumer.config())


async def apply_once_possible(js: JetStreamContext, replicas: int, *, within: float) -> None:
    """Apply the topology; where the bus keeps no streams yet, a cluster without a majority say, wait for it.

    For `within` seconds at most, then E-4061; at once where it is one server that is to keep several copies.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + within
    try:
        async for attempt in stamina.retry_context(
            on=_may_pass, attempts=None, timeout=within, wait_initial=0.5, wait_max=5.0
        ):
            with attempt:
                try:
                    await apply(js, replicas)
                except (NatsError, APIError, TimeoutError) as error:
                    left = max(0, round(ends - loop.time()))
                    log.warning("the bus keeps no streams yet; waiting", reason=_said(error), seconds_left=left)
                    raise
    except (NatsError, APIError, TimeoutError) as error:
        raise TallyError(BUS_NOT_READY, reason=_said(error), replicas=replicas) from error


def _taking_nothing_away(stream: StreamConfig, found: StreamConfig) -> StreamConfig:
    copies = max(stream.num_replicas or 1, found.num_replicas or 1)
    subjects_of_both = dict.fromkeys((*(stream.subjects or ()), *(found.subjects or ())))
    return stream.evolve(num_replicas=copies, subjects=list(subjects_of_both))


def _may_pass(error: Exception) -> bool:
    if isinstance(error, APIError):
        return error.err_code not in _NO_CLUSTER
    return isinstance(error, NatsError | TimeoutError)


def _said(error: Exception) -> str:
    described = error.description if isinstance(error, APIError) else str(error)
    return described or type(error).__name__


async def create(js: JetStreamContext, stream: StreamConfig, clock: Clock = utc_now) -> None:
    """Create a stream that counts from the present moment, in milliseconds.

    Its sequences are then beyond those of a stream of this name that was lost: a compare-and-set, or a deletion, that
    was meant for that one finds nothing to match.
    """
    try:
        await js.add_stream(stream.evolve(first_seq=int(clock().timestamp() * 1000)))
    except BadRequestError as error:
        if error.err_code != _MADE_MEANWHILE:
            raise
        await js.update_stream(stream)


async def is_missing(js: JetStreamContext, consumers: tuple[Consumer, ...]) -> bool:
    """Whether one of `consumers`, or a stream, is gone."""
    for consumer in consumers:
        try:
            await js.consumer_info(consumer.stream, consumer.durable)
        except NotFoundError:
            return True
    return False
