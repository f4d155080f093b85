"""The console's HTTP API, with a whole house behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.consoles import StreamedEvent, console_of, console_token, streamed
from tests.integration.house import House, running_house, tracking_numbers

ENDS = {"completed", "completed_with_warnings", "failed", "cancelled"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def console(house: House) -> Iterator[httpx.Client]:
    with console_of(house) as client:
        yield client


def request_for(path: Path, request_id: str, **fields: Any) -> dict[str, Any]:
    return {"request_id": request_id, "source": {"kind": "csv", "path": str(path)}, **fields}


def watched(console: httpx.Client, job_id: str, after: int = 0) -> Iterator[StreamedEvent]:
    headers = {"Last-Event-ID": str(after)} if after else {}
    with console.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield from streamed(answer.iter_lines())


def until(console: httpx.Client, job_id: str, wanted: str) -> dict[str, Any]:
    return next(event.body["job"] for event in watched(console, job_id) if event.type == wanted)


def finished(console: httpx.Client, job_id: str) -> dict[str, Any]:
    *_, last = watched(console, job_id)
    assert last.type == "end"
    return last.body


def test_a_batch_is_submitted_seen_approved_and_watched_to_its_end(house: House, console: httpx.Client) -> None:
    orders = house.orders("approved.csv", 4)
    answer = console.post("/jobs", json=request_for(orders, "approved"))
    assert answer.status_code == 202
    job_id = answer.json()["job_id"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job_id}"
    seen = until(console, job_id, "awaiting_approval")
    told = {"amount": "1.00", "currency": "USD"}
    assert console.post(f"/jobs/{job_id}/approve", json={"estimate": told}).json()["code"] == "E-4031"
    approved = console.post(f"/jobs/{job_id}/approve", json={"estimate": seen["estimate"], "by": "Ada"})
    assert approved.status_code == 200, approved.text
    job = finished(console, job_id)
    assert (job["status"], job["rows"]["shipped"]) == ("completed", 4)
    rows = console.get(f"/jobs/{job_id}/rows", params={"status": "shipped", "limit": 3}).json()
    assert [row["row_number"] for row in rows["rows"]] == [1, 2, 3]
    rest = console.get(f"/jobs/{job_id}/rows", params={"after": rows["next_after"]}).json()
    assert [row["row_number"] for row in rest["rows"]] == [4]
    house.eventually(lambda: tracking_numbers(orders), all)
    trail = console.get(f"/jobs/{job_id}/audit", params={"limit": 1000}).json()["entries"]
    assert "Ada" in {entry["actor"] for entry in trail}
    assert console.get(f"/jobs/{job_id}/report").json()["job"]["job_id"] == job_id
    assert console.post(f"/jobs/{job_id}/verify").json()["agrees"]
    voided = console.post(f"/jobs/{job_id}/void", json={"row_numbers": [2]})
    assert [row["status"] for row in voided.json()["rows"]] in (["voiding"], ["voided"])
    house.eventually(lambda: console.get(f"/jobs/{job_id}/rows/2").json()["status"], lambda now: now == "voided")


def test_the_same_request_is_the_same_job_and_another_one_is_refused(house: House, console: httpx.Client) -> None:
    orders = house.orders("same.csv", 2, seed=2)
    first = console.post("/jobs", json=request_for(orders, "same"))
    again = console.post("/jobs", json=request_for(orders, "same"))
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    other = console.post("/jobs", json=request_for(orders, "same", where="state = 'CA'"))
    assert (other.status_code, other.json()["code"]) == (409, "E-2021")


def test_a_stream_goes_on_where_it_was_cut_off(house: House, console: httpx.Client) -> None:
    job_id = house.submit(house.orders("cut.csv", 3, seed=3))
    whole = list(watched(console, job_id))
    assert whole[0].type == "accepted"
    assert whole[-1].type == "end"
    third = whole[2].number
    assert third is not None
    rest = list(watched(console, job_id, after=third))
    # What has no number is said from the job as it is, and may be said again.
    assert [event.number for event in rest if event.number] == [event.number for event in whole[3:] if event.number]
    assert rest[-1].type == "end"
    unknown = list(watched(console, job_id, after=2**60))
    assert [event.number for event in unknown] == [event.number for event in whole], "another bus counts anew"


def test_a_stream_outlives_the_bus(house: House, console: httpx.Client) -> None:
    job_id = house.submit(house.orders("outage.csv", 12, seed=4))
    former = house.pid("nats")
    numbers: list[int] = []
    last = None
    for event in watched(console, job_id):
        if event.number is not None:
            if not numbers:
                house.kill("nats")
            numbers.append(event.number)
        last = event
    assert last is not None
    assert (last.type, last.body["status"]) == ("end", "completed")
    assert numbers == sorted(set(numbers)), "each event once"
    # A short job may be at its end before the bus is there again.
    house.eventually(lambda: house.status, lambda status: "services" in status)
    assert house.pid("nats") != former


def test_a_job_is_paused_resumed_cancelled_and_done_over(house: House, console: httpx.Client) -> None:
    job_id = house.submit(house.orders("controlled.csv", 30, seed=5))
    paused = console.post(f"/jobs/{job_id}/pause", json={"by": "Ada"}).json()
    assert paused["status"] == "paused"
    assert console.post(f"/jobs/{job_id}/resume").json()["status"] == "running"
    assert console.post(f"/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    refused = console.post(f"/jobs/{job_id}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "E-4005")
    house.eventually(
        lambda: console.post(f"/jobs/{job_id}/restart", json={"mode": "confirm"}).json(), lambda job: "job_id" in job
    )
    assert console.get(f"/jobs/{job_id}").json()["restarted_as"]


def test_sources_are_previewed_and_inspected_without_a_job(house: House, console: httpx.Client) -> None:
    question = {"source": {"kind": "csv", "path": str(house.orders("asked.csv", 5, seed=6))}}
    preview = console.post("/preview", json=question, params={"limit": 2}).json()
    assert (preview["total"], len(preview["rows"])) == (5, 2)
    assert console.post("/inspect", json=question).json()["rows"] == 5
    missing = console.post("/inspect", json={"source": {"kind": "csv", "path": "nowhere.csv"}})
    assert (missing.status_code, missing.json()["code"]) == (422, "E-1001")


def test_who_is_there_is_told(console: httpx.Client) -> None:
    names = {service["name"] for service in console.get("/status").json()["services"]}
    assert names == {"coordinator", "shipper", "writeback", "console"}
    assert [job["job_id"] for job in console.get("/jobs", params={"limit": 1}).json()["jobs"]]
    page = console.get("/jobs", params={"limit": 2}).json()
    older = console.get("/jobs", params={"before": page["next_before"]}).json()
    assert not {job["job_id"] for job in page["jobs"]} & {job["job_id"] for job in older["jobs"]}


def test_a_stranger_learns_nothing(house: House) -> None:
    url = house.status["console_url"]
    assert httpx.get(f"{url}/livez").status_code == 200
    assert httpx.get(f"{url}/readyz").json()["ready"]
    for path in ("/api/v1/jobs", "/api/v1/status", "/metrics"):
        assert httpx.get(f"{url}{path}").json()["code"] == "E-5021"
    wrong = httpx.get(f"{url}/api/v1/jobs", headers={"Authorization": "Bearer nonsense"})
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")


def test_the_houses_token_is_its_owners_only_and_nobody_is_named_in_the_log(house: House) -> None:
    assert (house.data_dir / "console.token").stat().st_mode & 0o777 == 0o600
    told = (house.folder / "up.log").read_text() + (house.data_dir / "house.json").read_text()
    log = (house.data_dir / "logs" / "console.log").read_text()
    assert console_token(house) not in told + log
    for row in house.json("rows", "last"):
        assert row["recipient"] not in log
