"""Traces by OpenTelemetry, where an endpoint is set; without one nothing of it is loaded, and a span costs a call.

A row's attempt is one trace. Its id is a hash of job, row and attempt, so whoever works on the row knows it, after a
crash as well, without anybody having kept it; `row`, its root, is told when the outcome is recorded. Within it the
context goes from message to message in the header `traceparent`. A job is a trace of its own, with a span for each
state that it enters, and every row's root links to it: no trace grows with the length of a file.

A span names jobs, rows and subjects, and an error by its type: never a secret and never a recipient's data.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from shared.contracts.message import Message
from shared.telemetry import work
from shared.version import VERSION

if TYPE_CHECKING:
    from shared.telemetry.otel import Provider

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attribute = str | int | float | bool

_REQUESTS = "tally.requests."
# What informs and decides nothing is in no trace.
_UNTRACED = ("tally.events.", "tally.parked.")
_TRACE_BYTES, _SPAN_BYTES = 16, 8

_provider: Provider | None = None


@dataclass(frozen=True)
class Place:
    """A span by its ids."""

    trace_id: int
    span_id: int


@dataclass(frozen=True)
class RowAttempt:
    """An attempt of a job's row: what a trace is about."""

    job_id: str
    row_number: int
    attempt: int

    @property
    def root(self) -> Place:
        """The root of its trace."""
        return _hashed(f"{self.job_id}/{self.row_number}/{self.attempt}")


class Span:
    """A span within whose block everything belongs to it; this one tells nothing to anybody."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def set(self, name: str, value: Attribute) -> None:
        """Tell more of it."""

    def fail(self, error_type: str) -> None:
        """Say that what it stands for failed."""

    def link(self, others: Iterable[Span]) -> None:
        """Link it to other spans and them to it."""


_NOTHING = Span()


def start(service: str, endpoint: str) -> None:
    """Tell traces to the OTLP receiver at `endpoint` (HTTP), where there is one.

    OpenTelemetry's own variables count as well: `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`, `OTEL_EXPORTER_OTLP_HEADERS` …
    """
    global _provider  # noqa: PLW0603 - a process has one, as it has one log
    if not endpoint:
        return
    from shared.telemetry.otel import Provider

    resource = {
        "service.namespace": "tallyman",
        "service.name": service,
        "service.version": VERSION,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    _provider = Provider.exporting(resource, endpoint)


def stop() -> None:
    """Tell what is not yet told, for a few seconds at most."""
    global _provider  # noqa: PLW0603
    if _provider is not None:
        _provider.close()
        _provider = None


def is_on() -> bool:
    """Whether anybody is told."""
    return _provider is not None


def trace_id() -> str | None:
    """The present trace, in hexadecimal."""
    return None if _provider is None else _provider.trace_id()


def span(name: str, kind: Kind = "internal", attributes: Mapping[str, Attribute] | None = None) -> Span:
    """A span below the present one; none where there is none."""
    if _provider is None or not _provider.is_sampled():
        return _NOTHING
    return _provider.span(name, kind, attributes or {})


def sending(subject: str, message: Message, message_id: str) -> Span:
    """The span of a publish; a job request begins a trace where there is none, what else is published does not."""
    if _provider is None or subject.startswith(_UNTRACED):
        return _NOTHING
    begins = subject.startswith(_REQUESTS) and not _provider.is_within()
    if not begins and not _provider.is_sampled():
        return _NOTHING
    attributes = _messaging("send", subject) | _of(work.names_of(dict(message)))
    return _provider.span(
        f"send {work.destination(subject)}", "producer", attributes | {"messaging.message.id": message_id}
    )


def processing(subject: str, headers: Mapping[str, str] | None, body: bytes, consumer: str | None = None) -> Span:
    """The span of a message, or of a call (without a `consumer`), below the one that it was sent in."""
    if _provider is None:
        return _NOTHING
    sent_in = _provider.sent_in(headers or {})
    if _provider.is_left_out(sent_in):
        return _provider.left_out(sent_in)
    attributes = _messaging("process", subject) | _of(work.Work(subject, body).named)
    attributes["messaging.message.body.size"] = len(body)
    if consumer is not None:
        attributes["messaging.consumer.group.name"] = consumer
    return _provider.span(
        f"process {work.destination(subject)}",
        "server" if consumer is None else "consumer",
        attributes,
        parent=sent_in,
    )


def headers() -> dict[str, str] | None:
    """What a message carries of the present trace; None where there is none."""
    return None if _provider is None else _provider.headers()


def in_row(row: RowAttempt) -> Span:
    """A block that belongs to a row's trace, whatever it was begun by."""
    return _NOTHING if _provider is None else _provider.within(row.root)


def apart() -> Span:
    """A block that belongs to no trace."""
    return _NOTHING if _provider is None else _provider.apart()


def record_row(row: RowAttempt, outcome: str, error: str | None, began: datetime, ended: datetime) -> None:
    """Tell the root of a row's trace, once its outcome is recorded."""
    if _provider is None:
        return
    attributes = _of({"job": row.job_id, "row": row.row_number, "attempt": row.attempt})
    attributes["tally.outcome"] = outcome
    _provider.root("row", row.root, attributes, (began, ended), error=error, linked=job_place(row.job_id))


def record_job(job_id: str, accepted: datetime, until: datetime) -> None:
    """Tell the root of a job's trace, once it is made; it links to the request's."""
    if _provider is not None:
        _provider.root("job", job_place(job_id), _of({"job": job_id}), (accepted, until))


def record_state(job_id: str, status: str) -> None:
    """Tell that a job entered a state, in its trace, linked to what had it enter."""
    if _provider is not None:
        _provider.moment(f"job {status}", _of({"job": job_id}) | {"tally.job.status": status}, job_place(job_id))


def job_place(job_id: str) -> Place:
    """The root of a job's trace."""
    return _hashed(job_id)


def here() -> Span:
    """The present span, to link to it."""
    return _NOTHING if _provider is None else _provider.here()


def _hashed(name: str) -> Place:
    digest = hashlib.sha256(name.encode()).digest()
    trace_id, span_id = digest[:_TRACE_BYTES], digest[_TRACE_BYTES : _TRACE_BYTES + _SPAN_BYTES]
    return Place(int.from_bytes(trace_id), int.from_bytes(span_id))


def _messaging(operation: str, subject: str) -> dict[str, Attribute]:
    return {
        "messaging.system": "nats",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": subject,
        "messaging.destination.template": work.destination(subject),
    }


def _of(names: Mapping[str, str | int]) -> dict[str, Attribute]:
    keys = {"job": "tally.job.id", "row": "tally.row.number", "attempt": "tally.attempt"}
    return {keys[name]: value for name, value in names.items()}
