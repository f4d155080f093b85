"""A person saves an older state over the file in the middle of a job: at the job's end nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.house import House, tracking_numbers
from tests.integration.test_workbooks import sold


@pytest.fixture
def path(house: House, request: pytest.FixtureRequest) -> Path:
    return house.orders(f"{request.node.name}.csv", 6, seed=sum(map(ord, request.node.name)))


def written(house: House, job: str, count: int) -> None:
    house.eventually(lambda: house.json("show", job), lambda shown: shown["write_back"]["written"] >= count)


def test_numbers_that_a_person_saved_over_are_written_again_at_the_end(house: House, path: Path) -> None:
    before = path.read_bytes()
    with house.faults({"match": {"nth": 5}, "fault": "latency", "ms": 8000}):
        job = house.submit(path)
        written(house, job, 4)
        path.write_bytes(before)
        ended = house.finished(job)
    assert (ended["status"], ended["write_back"]["written"]) == ("completed", 6)
    assert tracking_numbers(path) == sold(house, job)


def test_a_file_that_is_gone_at_the_end_is_told_and_each_failure_has_its_cause(house: House, path: Path) -> None:
    with house.faults({"match": {"nth": 5}, "fault": "latency", "ms": 8000}):
        job = house.submit(path)
        written(house, job, 4)
        path.rename(path.with_suffix(".old"))
        ended = house.finished(job)
    assert (ended["status"], ended["write_back"]["failed"]) == ("completed_with_warnings", 6)
    told = " ".join(house.run("show", job).stdout.split())
    assert "6 rows shipped but not written back: 1, 2, 3, 4, 5 … and 1 more E-4011" in told
    errors = [row["write_back"]["error"] for row in house.json("rows", job)]
    assert {error["code"] for error in errors} == {"E-4011"}
    assert all("There is no file" in error["message"] for error in errors), json.dumps(errors[0])
