"""A row's trace, told by the real processes of a house to an OTLP receiver."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.integration.consoles import console_of
from tests.integration.house import House, running_house
from tests.integration.trace_receiver import Receiver, ToldSpan, receiving, tree


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def traced_house(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with running_house(folder, TALLY_OTLP_ENDPOINT=receiver.url, OTEL_BSP_SCHEDULE_DELAY="200") as house:
        # The first call to the carrier fetches a token, too.
        house.finished(house.submit(house.orders("first.csv", 1, seed=5)))
        yield house


def trace_of(name: str) -> str:
    return hashlib.sha256(name.encode()).digest()[:16].hex()


def named(spans: list[ToldSpan], name: str) -> ToldSpan:
    return next(span for span in spans if span.name == name)


def test_a_row_is_one_trace_from_its_command_to_its_write_back(traced_house: House, receiver: Receiver) -> None:
    job_id = traced_house.submit(traced_house.orders("traced.csv", 1))
    traced_house.finished(job_id)

    spans = receiver.until(trace_of(f"{job_id}/1/1"), 16)
    written = (
        "coordinator: send tally.commands.writeback",
        (
            "writeback: process tally.commands.writeback",
            (
                "writeback: flush",
                (
                    "writeback: send tally.outcomes.writeback",
                    ("coordinator: process tally.outcomes.writeback", ("coordinator: commit record_written",)),
                ),
            ),
        ),
    )
    shipped = (
        "shipper: process tally.commands.ship",
        ("shipper: POST",),
        ("shipper: send tally.ledger", ("coordinator: process tally.ledger",)),
        (
            "shipper: send tally.ledger",
            ("coordinator: process tally.ledger", ("coordinator: commit record_outcome",), written),
        ),
        ("shipper: store labels",),
    )
    assert tree(spans) == [("coordinator: row", ("coordinator: send tally.commands.ship", shipped))]

    root = named(spans, "row")
    assert root.attributes["tally.job.id"] == job_id
    assert (root.attributes["tally.row.number"], root.attributes["tally.outcome"]) == (1, "shipped")
    assert root.links == (trace_of(job_id),)
    assert root.duration > 0
    call = named(spans, "POST")
    assert call.kind == "client"
    assert call.attributes["http.response.status_code"] == 200
    assert call.attributes["url.template"].startswith("/api/shipments/")
    command = named(spans, "process tally.commands.ship")
    assert command.kind == "consumer"
    assert command.attributes["messaging.system"] == "nats"
    assert command.attributes["messaging.destination.template"] == "tally.commands.ship"
    assert command.attributes["messaging.consumer.group.name"] == "shipper"


def test_a_job_is_a_trace_of_its_states_linked_to_its_request(traced_house: House, receiver: Receiver) -> None:
    job_id = traced_house.submit(traced_house.orders("states.csv", 2, seed=2))
    traced_house.finished(job_id)

    spans = receiver.until(trace_of(job_id), 4)
    assert {span.name for span in spans} == {"job", "job pending", "job running", "job completed"}
    (request,) = {link for span in spans if span.name == "job" for link in span.links}
    of_request = receiver.until(request, 2)
    assert {"cli: send tally.requests.submit", "coordinator: process tally.requests.submit"} <= {
        f"{span.service}: {span.name}" for span in of_request
    }
    # However long the file is, no trace grows with it.
    assert "row" not in {span.name for span in of_request + spans}


def test_a_row_leads_back_to_the_request_that_came_over_http(traced_house: House, receiver: Receiver) -> None:
    path = traced_house.orders("over-http.csv", 1, seed=8)
    request = {"request_id": "over-http", "source": {"kind": "csv", "path": path.name}, "mode": "auto"}
    with console_of(traced_house) as caller:
        job_id = caller.post("/jobs", json=request).json()["job_id"]
    traced_house.finished(job_id)

    assert named(receiver.until(trace_of(f"{job_id}/1/1"), 16), "row").links == (trace_of(job_id),)
    (begun,) = {link for span in receiver.until(trace_of(job_id), 4) if span.name == "job" for link in span.links}
    ((root, *following),) = tree(receiver.until(begun, 2))
    assert root == "console: send tally.requests.submit"
    assert [span for span, *_ in following] == ["coordinator: process tally.requests.submit"]


def test_a_refused_row_is_a_failed_trace_by_its_code(traced_house: House, receiver: Receiver) -> None:
    with traced_house.faults({"fault": "error", "status": 400, "code": "120100", "message": "No"}):
        path = traced_house.orders("refused.csv", 1, seed=3)
        job_id = traced_house.json("ship", str(path), "--mode", "auto", "--detach")["job_id"]
        assert traced_house.finished(job_id)["status"] == "failed"

    root = named(receiver.until(trace_of(f"{job_id}/1/1"), 9), "row")
    assert root.failed
    assert root.attributes["error.type"].startswith("E-")


def test_what_is_logged_of_a_message_names_its_row_and_its_trace(traced_house: House, receiver: Receiver) -> None:
    with traced_house.faults({"fault": "drop_after_commit", "match": {"times": 1}}):
        job_id = traced_house.submit(traced_house.orders("lost.csv", 1, seed=6))
        assert traced_house.finished(job_id)["status"] == "completed"

    lines = [json.loads(line) for line in (traced_house.data_dir / "logs" / "shipper.log").read_text().splitlines()]
    (line,) = (line for line in lines if line["event"] == "the carrier's answer is unknown")
    trace = trace_of(f"{job_id}/1/1")
    assert (line["service"], line["job"], line["row"], line["attempt"]) == ("shipper", job_id, 1, 1)
    assert line["trace_id"] == trace
    assert "LostError" in {span.attributes.get("error.type") for span in receiver.until(trace, 15)}


def test_no_span_tells_of_a_recipient(traced_house: House, receiver: Receiver) -> None:
    path = traced_house.orders("people.csv", 2, seed=4)
    traced_house.finished(traced_house.submit(path))
    cells = {cell for line in path.read_text().splitlines()[1:] for cell in line.split(",") if len(cell) > 6}
    told = json.dumps([[span.name, span.attributes] for span in receiver.spans], default=str)
    assert not [cell for cell in cells if cell in told]
