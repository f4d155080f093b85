"""What a person types: prepare, up, ship, down."""

from __future__ import annotations

import json
from collections import Counter
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.containers.project import ROOT, prepare
from tests.containers.stack import SERVICES, Stack
from tests.integration.house import tracking_numbers

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

LONG_RUNNING = ("nats", "postgres", *SERVICES, "console", "sandbox")
JSON_LINES = (*SERVICES, "console", "sandbox")


def test_ten_rows_ship_through_the_containers(stack: Stack) -> None:
    path = stack.orders("ten.csv", 10)
    job = json.loads(stack.tally("ship", "ten.csv", "--yes", "--json"))
    assert (job["status"], job["rows"]["shipped"]) == ("completed", 10)
    rows = json.loads(stack.tally("rows", job["job_id"], "--json"))
    references = {row["reference"] for row in rows}
    sold = Counter(shipment["reference"] for shipment in stack.shipments() if shipment["reference"] in references)
    assert sold == dict.fromkeys(references, 1)
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in rows]


def test_the_console_lists_the_jobs_to_whoever_has_its_token(stack: Stack) -> None:
    call = Request(
        f"{stack.console_url}/api/v1/jobs", headers={"Authorization": f"Bearer {stack.secret('console_token')}"}
    )
    with urlopen(call, timeout=30) as answer:
        assert answer.status == 200
        assert "completed" in answer.read().decode()
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{stack.console_url}/api/v1/jobs", timeout=30)


def test_every_container_says_that_it_is_well(stack: Stack) -> None:
    stack.wait_until_healthy(LONG_RUNNING)


def test_the_schema_was_migrated_once_and_before_the_coordinator(stack: Stack) -> None:
    (migrate,), (coordinator,) = stack.containers("migrate"), stack.containers("coordinator")
    assert (migrate.attrs["State"]["Status"], migrate.attrs["State"]["ExitCode"]) == ("exited", 0)
    assert migrate.attrs["State"]["FinishedAt"] < coordinator.attrs["State"]["StartedAt"]


@pytest.mark.parametrize("service", JSON_LINES)
def test_every_line_that_a_service_logs_is_json(stack: Stack, service: str) -> None:
    (container,) = stack.containers(service)
    lines = container.logs().decode().splitlines()
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_preparing_again_changes_nothing(stack: Stack) -> None:
    kept = [stack.folder / ".env", *sorted((stack.folder / "deploy" / "secrets").iterdir())]
    before = [path.read_bytes() for path in kept]
    assert prepare(stack.folder) == ""
    assert [path.read_bytes() for path in kept] == before


def test_without_preparing_compose_says_what_to_do(stack: Stack) -> None:
    elsewhere = stack.folder / "unprepared"
    elsewhere.mkdir()
    (elsewhere / "docker-compose.yml").write_bytes((ROOT / "docker-compose.yml").read_bytes())
    said = stack.fail("--project-directory", str(elsewhere), "--file", str(elsewhere / "docker-compose.yml"), "config")
    assert "run deploy/prepare first" in said
