"""What condition the bus is in, as a client can see it: the server, each stream and each durable consumer."""

from __future__ import annotations

from dataclasses import dataclass

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ClusterInfo, StreamConfig
from nats.js.errors import NotFoundError

from shared.bus import topology


@dataclass(frozen=True)
class Copies:
    """The copies of a stream: who leads them, and which servers' are away or behind."""

    number: int
    leader: str = ""
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class StreamCondition:
    """One stream; `copies` is None where there is no such stream.

    `size` is in bytes. `differs` names the settings that are not as they should be.
    """

    name: str
    copies: Copies | None = None
    messages: int = 0
    size: int = 0
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConsumerCondition:
    """One consumer: how many messages wait, are in hand, were delivered before; requests for more that are open."""

    name: str
    stream: str
    exists: bool = False
    waiting: int = 0
    in_hand: int = 0
    redelivered: int = 0
    asked_for: int = 0


@dataclass(frozen=True)
class BusCondition:
    """The server's version, and every stream and consumer of ours in the topology's order."""

    version: tuple[int, int, int]
    servers: tuple[str, ...]
    streams: tuple[StreamCondition, ...]
    consumers: tuple[ConsumerCondition, ...]


async def bus_condition(client: Client, timeout: float) -> BusCondition:  # noqa: ASYNC109 - each question's time-out
    """Ask the server; raises NatsError or TimeoutError where it does not answer."""
    js = client.jetstream(timeout=timeout)
    version = client.connected_server_version
    return BusCondition(
        version=(version.major, version.minor, version.patch),
        servers=tuple(f"{server.hostname}:{server.port}" for server in client.servers),
        streams=tuple([await _stream(js, stream) for stream in topology.streams(1)]),
        consumers=tuple([await _consumer(js, consumer) for consumer in topology.CONSUMERS]),
    )


async def _stream(js: JetStreamContext, wanted: StreamConfig) -> StreamCondition:
    name = str(wanted.name)
    try:
        info = await js.stream_info(name)
    except NotFoundError:
        return StreamCondition(name)
    return StreamCondition(
        name,
        _copies(info.config.num_replicas or 1, info.cluster),
        messages=info.state.messages,
        size=info.state.bytes,
        differs=tuple(field for field in _GUARDED if getattr(info.config, field) != getattr(wanted, field)),
    )


def _copies(number: int, cluster: ClusterInfo | None) -> Copies:
    if cluster is None:
        return Copies(number)
    lacking = [peer.name or "?" for peer in cluster.replicas or () if peer.offline or not peer.current]
    return Copies(number, cluster.leader or "", tuple(lacking))


async def _consumer(js: JetStreamContext, wanted: topology.Consumer) -> ConsumerCondition:
    try:
        info = await js.consumer_info(wanted.stream, wanted.durable)
    except NotFoundError:
        return ConsumerCondition(wanted.durable, wanted.stream)
    return ConsumerCondition(
        wanted.durable,
        wanted.stream,
        exists=True,
        waiting=info.num_pending or 0,
        in_hand=info.num_ack_pending or 0,
        redelivered=info.num_redelivered or 0,
        asked_for=info.num_waiting or 0,
    )


# What the promises rest on: another retention, storage or one message per subject no more would break them.
_GUARDED = ("subjects", "retention", "storage", "discard", "max_msgs_per_subject", "discard_new_per_subject")
