"""An OTLP receiver: takes what real processes tell of their spans, over HTTP."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class ToldSpan:
    """A span as it was told; ids in hexadecimal, `links` are the ids of traces."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]
    failed: bool
    start: int
    duration: float


@dataclass
class Receiver:
    """All spans told so far."""

    url: str = ""
    spans: list[ToldSpan] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes) -> None:
        """Keep the spans of an export."""
        request = ExportTraceServiceRequest.FromString(body)
        told = [
            _told(_values(resource.resource.attributes)["service.name"], span)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self.changed:
            self.spans += told
            self.changed.notify_all()

    def trace(self, trace_id: str) -> list[ToldSpan]:
        """The spans of a trace."""
        with self.changed:
            return [span for span in self.spans if span.trace == trace_id]

    def until(self, trace_id: str, spans: int, patience: float = 60.0) -> list[ToldSpan]:
        """The spans of a trace, once there are as many."""
        with self.changed:
            self.changed.wait_for(lambda: sum(span.trace == trace_id for span in self.spans) >= spans, patience)
        return self.trace(trace_id)


def tree(spans: list[ToldSpan], parent: str = "") -> list[Any]:
    """The spans as a tree: each its service and name, with what is below it."""
    below = sorted((span for span in spans if span.parent == parent), key=lambda span: (span.name, span.start))
    return [(f"{span.service}: {span.name}", *tree(spans, span.id)) for span in below]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver, listening."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def _told(service: str, span: Any) -> ToldSpan:
    kinds = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
    return ToldSpan(
        service=service,
        name=span.name,
        kind=kinds[span.kind],
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        attributes=_values(span.attributes),
        failed=span.status.code == 2,
        start=span.start_time_unix_nano,
        duration=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {attribute.key: getattr(attribute.value, attribute.value.WhichOneof("value")) for attribute in attributes}
