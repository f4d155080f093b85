"""The bus: its version, its streams and their copies, its consumers."""

from __future__ import annotations

from collections.abc import Iterator

from services.cli.doctor.finding import Finding, look, ok, problem, unless_worse
from services.cli.rendering.wording import plural
from shared.bus.condition import BusCondition, ConsumerCondition, StreamCondition

OLDEST = (2, 12, 0)
_RESTART = "Restart a coordinator: it makes what is missing."
_OWNERS = ("coordinator", "shipper", "writeback")
_MEBIBYTE = 1024 * 1024


def findings(condition: BusCondition, copies: int | None) -> list[Finding]:
    """What is to be said of the bus; its streams should have `copies` each or, where that is None, all as many."""
    return [_server(condition), *_streams(condition, copies), *_consumers(condition)]


def _server(condition: BusCondition) -> Finding:
    version = ".".join(map(str, condition.version))
    if condition.version < OLDEST:
        oldest = ".".join(map(str, OLDEST[:2]))
        return problem("bus", f"The NATS server is version {version}.", f"Use nats-server {oldest} or newer.")
    return ok("bus", f"nats-server {version} answers.")


def _streams(condition: BusCondition, copies: int | None) -> list[Finding]:
    numbers = [stream.copies.number for stream in condition.streams if stream.copies is not None]
    copies = copies or max(numbers, default=1)
    size = sum(stream.size for stream in condition.streams) / _MEBIBYTE
    in_copies = "1 copy" if copies == 1 else f"{copies} copies"
    good = ok("streams", f"{len(condition.streams)} streams in {in_copies}, {size:.1f} MiB.")
    return unless_worse(good, (each for stream in condition.streams for each in _stream(stream, copies)))


def _stream(stream: StreamCondition, copies: int) -> Iterator[Finding]:
    if stream.copies is None:
        yield problem("streams", f"There is no stream {stream.name}.", _RESTART)
        return
    if stream.differs:
        fields = ", ".join(stream.differs)
        yield problem(
            "streams",
            f"Stream {stream.name} is not as it must be: {fields}.",
            f"Somebody changed it. {_RESTART} If that does not help, see docs/runbook.md.",
        )
    if stream.copies.number != copies:
        yield look(
            "streams",
            f"Stream {stream.name} has {stream.copies.number} copies, not {copies}.",
            "Set TALLY_STREAM_REPLICAS alike for every service and for this command, and restart the coordinators.",
        )
    if stream.copies.number > 1 and not stream.copies.leader:
        yield problem(
            "streams",
            f"Stream {stream.name} has no leader.",
            "Start the NATS servers that are down: a majority must run.",
        )
    for server in stream.copies.lacking:
        yield look(
            "streams",
            f"The copy of {stream.name} on {server} is away or behind.",
            "See that this NATS server runs; one that came back catches up by itself.",
        )


def _consumers(condition: BusCondition) -> list[Finding]:
    waiting = sum(consumer.waiting + consumer.in_hand for consumer in condition.consumers)
    good = ok("consumers", f"{len(condition.consumers)} consumers, {plural(waiting, 'message')} waiting or in hand.")
    return unless_worse(good, (each for consumer in condition.consumers for each in _consumer(consumer)))


def _consumer(consumer: ConsumerCondition) -> Iterator[Finding]:
    if not consumer.exists:
        yield problem("consumers", f"There is no consumer {consumer.name} of {consumer.stream}.", _RESTART)
    elif consumer.waiting and not consumer.asked_for and not consumer.in_hand:
        owner = next((name for name in _OWNERS if consumer.name.startswith(name)), "service")
        yield problem(
            "consumers",
            f"{plural(consumer.waiting, 'message')} waiting for {consumer.name}, and nobody takes any.",
            f"Start a {owner}, or restart the one that runs.",
        )
