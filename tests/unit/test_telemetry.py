"""What is named in logs and traces, and what is not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.contracts import subjects
from shared.contracts.voiding import VoidOutcome
from shared.telemetry import tracing, work
from shared.telemetry.otel import Provider

OUTCOME = VoidOutcome(job_id="j1", row_number=7, shipment_id="1Z", status="voided", at="2026-11-21T09:00:00Z")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_provider", Provider({"service.name": "test"}, SimpleSpanProcessor(exporter)))
    return exporter


LOGS = """
import asyncio, logging
from shared.telemetry import configure, logger, work

async def works():
    work.take("tally.commands.ship.j1", b'{"job_id": "j1", "row_number": 7, "attempt": 2, "name": "Ann"}', "abc")
    logger("shipping").warning("said within")

async def main():
    await asyncio.create_task(works())
    logger("shipping").warning("said outside")
    logging.getLogger("nats.aio").error("connection %s", "lost")

configure("shipper", "info", "json")
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("subject", "destination"),
    [
        (subjects.ship_command("j1"), "tally.commands.ship"),
        (subjects.writeback_command("abc", "j1", 3), "tally.commands.writeback"),
        (subjects.ledger("j1", 3), "tally.ledger"),
        (subjects.late_ledger("j1", 3), "tally.ledger-late"),
        (subjects.event("j1", "completed"), "tally.events"),
        (subjects.SUBMIT, "tally.requests.submit"),
        (subjects.api("show"), "tally.api.show"),
        ("_INBOX.x", "_INBOX"),
    ],
)
def test_a_destination_names_no_job_and_no_row(subject: str, destination: str) -> None:
    assert work.destination(subject) == destination


def test_of_a_message_only_job_row_and_attempt_are_named() -> None:
    body = b'{"job_id": "j1", "row_number": 7, "attempt": 2, "shipment": {"recipient": {"name": "Ann"}}}'
    assert work.Work("s", body).named == {"job": "j1", "row": 7, "attempt": 2}
    assert work.Work("s", b"no json").named == {}
    assert work.Work("s", b"[1]").named == {}
    assert work.names_of({"job_id": "x" * 65, "row_number": None}) == {}


def test_a_line_names_what_is_in_hand_and_a_library_speaks_in_the_same_form() -> None:
    done = subprocess.run([sys.executable, "-c", LOGS], capture_output=True, text=True, check=True, timeout=60)
    within, outside, of_library = (json.loads(line) for line in done.stderr.splitlines())
    assert (within["service"], within["job"], within["row"], within["attempt"]) == ("shipper", "j1", 7, 2)
    assert within["trace_id"] == "abc"
    assert "Ann" not in done.stderr
    assert "job" not in outside
    assert (of_library["event"], of_library["part"]) == ("connection lost", "nats.aio")
    assert (of_library["service"], of_library["level"]) == ("shipper", "error")


def test_without_an_endpoint_nothing_is_traced() -> None:
    assert not tracing.is_on()
    with tracing.sending(subjects.SUBMIT, OUTCOME, "id"), tracing.span("anything"):
        assert tracing.headers() is None
        assert tracing.trace_id() is None


def test_an_answer_goes_in_the_trace_of_its_question(told: InMemorySpanExporter) -> None:
    with tracing.sending(subjects.SUBMIT, OUTCOME, "id"):
        headers = tracing.headers()
    with tracing.processing(subjects.SUBMIT, headers, OUTCOME.encode(), "coordinator-requests"):
        pass
    sent, processed = told.get_finished_spans()
    assert processed.parent is not None
    assert processed.parent.span_id == sent.context.span_id
    assert processed.attributes is not None
    assert processed.attributes["tally.row.number"] == 7


def test_what_nobody_traces_begins_no_trace(told: InMemorySpanExporter) -> None:
    with tracing.sending(subjects.void_outcome("j1"), OUTCOME, "id"):
        assert tracing.headers() is None
    with tracing.processing("tally.api.show", None, b"{}"):
        with tracing.sending(subjects.event("j1", "progress"), OUTCOME, "id"):
            pass
        with tracing.apart(), tracing.sending(subjects.void_outcome("j1"), OUTCOME, "id"):
            assert tracing.headers() is None
    assert [span.name for span in told.get_finished_spans()] == ["process tally.api.show"]


def test_a_span_that_fails_tells_the_kind_of_its_error_only(told: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Ann Example"), tracing.processing("tally.api.show", None, b"{}"):
        raise ValueError("Ann Example, 1 Main St")
    (span,) = told.get_finished_spans()
    assert "Ann Example" not in span.to_json()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"


def test_whoever_works_on_a_row_works_in_its_trace(told: InMemorySpanExporter) -> None:
    row = tracing.RowAttempt("j1", 7, 1)
    for _ in range(2):  # the command, and the same command published again by another process
        with tracing.in_row(row), tracing.sending(subjects.ship_command("j1"), OUTCOME, "id"):
            pass
    spans = told.get_finished_spans()
    assert {span.context.trace_id for span in spans} == {row.root.trace_id}
    assert {span.parent.span_id for span in spans if span.parent} == {row.root.span_id}
    assert tracing.RowAttempt("j1", 7, 2).root != row.root


def test_a_flush_and_the_rows_it_is_for_are_linked_to_each_other(told: InMemorySpanExporter) -> None:
    with tracing.processing("tally.commands.writeback.a.j.1", None, b"{}"):
        first = tracing.here()
        with tracing.processing("tally.commands.writeback.a.j.2", None, b"{}"), tracing.span("flush") as flush:
            flush.link([first])
    spans = {span.name: span for span in told.get_finished_spans()}
    linked = spans["flush"].links[0].context.span_id
    waiting = next(span for span in told.get_finished_spans() if span.context.span_id == linked)
    assert waiting.links[0].context.span_id == spans["flush"].context.span_id


def test_a_trace_that_is_left_out_is_left_out_by_whoever_works_on_it(
    told: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = {"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00"}
    with (
        tracing.processing(subjects.ledger("j1", 7), left_out, OUTCOME.encode(), "coordinator-ledger"),
        tracing.span("commit record_outcome"),
        tracing.sending(subjects.writeback_command("abc", "j1", 7), OUTCOME, "id"),
    ):
        assert tracing.headers() == left_out
    assert not told.get_finished_spans()

    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    monkeypatch.setattr(tracing, "_provider", Provider({}, SimpleSpanProcessor(told)))
    with tracing.in_row(tracing.RowAttempt("j1", 7, 1)), tracing.sending(subjects.ship_command("j1"), OUTCOME, "id"):
        headers = tracing.headers()
    assert headers is not None
    assert headers["traceparent"].endswith("-00")
    assert not told.get_finished_spans()
