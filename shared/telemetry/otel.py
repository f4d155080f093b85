"""OpenTelemetry as `tracing` uses it; loaded only where traces are told to somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar, Token
from datetime import datetime
from types import TracebackType
from typing import Self

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.telemetry.tracing import Attribute, Kind, Place, Span
from shared.version import VERSION

# Seconds for a batch; a receiver that hangs holds a service's end up for two of them.
_EXPORT_WITHIN = 2
_MOST_LINKS = 100
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_PROPAGATOR = TraceContextTextMapPropagator()


class _Ids(RandomIdGenerator):
    """Random ids, but for a root whose ids are known beforehand."""

    def __init__(self) -> None:
        self.chosen: ContextVar[Place | None] = ContextVar("chosen", default=None)

    def generate_trace_id(self) -> int:
        place = self.chosen.get()
        return super().generate_trace_id() if place is None else place.trace_id

    def generate_span_id(self) -> int:
        place = self.chosen.get()
        return super().generate_span_id() if place is None else place.span_id


class Provider:
    """What makes spans, and what is asked of the present one."""

    def __init__(self, resource: Mapping[str, str], processor: SpanProcessor) -> None:
        self._ids = _Ids()
        # The sampler is that of OTEL_TRACES_SAMPLER: every trace, where it is not set.
        self._provider = TracerProvider(resource=Resource.create(resource), id_generator=self._ids)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("tallyman", VERSION)

    @classmethod
    def exporting(cls, resource: Mapping[str, str], endpoint: str) -> Self:
        """One that tells its spans to the OTLP receiver at `endpoint`, in batches and from a thread of its own."""
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_WITHIN)
        return cls(resource, BatchSpanProcessor(exporter))

    def close(self) -> None:
        """Tell what is not yet told."""
        self._provider.shutdown()

    def is_within(self) -> bool:
        """Whether there is a present span."""
        return trace.get_current_span().get_span_context().is_valid

    def is_sampled(self) -> bool:
        """Whether the present span is told to anybody; what is below one that is not, is not either."""
        return trace.get_current_span().get_span_context().trace_flags.sampled

    def is_left_out(self, context: Context) -> bool:
        """Whether a message's trace is told to nobody."""
        sent_in = trace.get_current_span(context).get_span_context()
        return sent_in.is_valid and not sent_in.trace_flags.sampled

    def left_out(self, context: Context) -> Span:
        """A block in a trace that is told to nobody, which goes on with what is sent from it."""
        return _Block(lambda: trace.get_current_span(context))

    def trace_id(self) -> str | None:
        """The present trace."""
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else None

    def headers(self) -> dict[str, str] | None:
        """The present context as headers."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier or None

    def sent_in(self, headers: Mapping[str, str]) -> Context:
        """The context that a message was sent in."""
        return _PROPAGATOR.extract(headers, context=Context())

    def span(self, name: str, kind: Kind, attributes: Mapping[str, Attribute], parent: Context | None = None) -> Span:
        """A span below `parent`, or below the present one."""
        return _Block(
            lambda: self._tracer.start_span(name, context=parent, kind=_KINDS[kind], attributes=dict(attributes))
        )

    def within(self, place: Place) -> Span:
        """A block below a root that somebody else tells."""
        return _Block(lambda: NonRecordingSpan(self._context_of(place)))

    def apart(self) -> Span:
        """A block without a span."""
        return _Block(lambda: trace.INVALID_SPAN)

    def here(self) -> Span:
        """The present span."""
        return _Present(trace.get_current_span())

    def root(
        self,
        name: str,
        place: Place,
        attributes: Mapping[str, Attribute],
        times: tuple[datetime, datetime],
        *,
        error: str | None = None,
        linked: Place | None = None,
    ) -> None:
        """Tell a trace's root, that lasted from one moment to another, linked to another root or the present span."""
        links = self._present_links() if linked is None else [Link(self._context_of(linked))]
        began, ended = (int(moment.timestamp() * 1_000_000_000) for moment in times)
        token = self._ids.chosen.set(place)
        try:
            span = self._tracer.start_span(
                name, context=Context(), attributes=dict(attributes), links=links, start_time=began
            )
        finally:
            self._ids.chosen.reset(token)
        if error is not None:
            _fail(span, error)
        span.end(end_time=ended)

    def moment(self, name: str, attributes: Mapping[str, Attribute], below: Place) -> None:
        """Tell what took no time, below a root, linked to the present span."""
        parent = trace.set_span_in_context(NonRecordingSpan(self._context_of(below)), Context())
        links = self._present_links()
        self._tracer.start_span(name, context=parent, attributes=dict(attributes), links=links).end()

    def _present_links(self) -> list[Link]:
        context = trace.get_current_span().get_span_context()
        return [Link(context)] if context.is_valid else []

    def _context_of(self, place: Place) -> SpanContext:
        decision = self._provider.sampler.should_sample(None, place.trace_id, "").decision
        flags = TraceFlags(TraceFlags.SAMPLED if decision is Decision.RECORD_AND_SAMPLE else TraceFlags.DEFAULT)
        return SpanContext(place.trace_id, place.span_id, is_remote=True, trace_flags=flags)


class _Present(Span):
    """A span that somebody else begins and ends."""

    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, name: str, value: Attribute) -> None:
        self._span.set_attribute(name, value)

    def fail(self, error_type: str) -> None:
        _fail(self._span, error_type)

    def link(self, others: Iterable[Span]) -> None:
        mine = self._span.get_span_context()
        linked = [other for other in others if isinstance(other, _Present)]
        for other in linked:
            other._span.add_link(mine)  # noqa: SLF001 - its own class's
        for other in linked[:_MOST_LINKS]:
            self._span.add_link(other._span.get_span_context())  # noqa: SLF001


class _Block(_Present):
    """A span that its block begins and ends."""

    __slots__ = ("_begin", "_token")

    def __init__(self, begin: Callable[[], trace.Span]) -> None:
        self._begin = begin
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        self._span = self._begin()
        self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            # Its name only: the text of an error may quote what was sent.
            _fail(self._span, kind.__name__)
        if self._token is not None:
            contexts.detach(self._token)
        self._span.end()


def _fail(span: trace.Span, error_type: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))
