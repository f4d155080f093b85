"""The bus's store is lost and put back from a copy, or not at all: nothing is bought twice, and nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.cli.house.nats_server import find_server
from services.coordinator.database.backup import back_up
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts import subjects
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobMode
from tests.integration.house import House, running_house, tracking_numbers
from tests.integration.nats_servers import connected
from tests.integration.runbook import do_as_told
from tests.integration.test_backup import administer

# Each starts and stops several houses.
pytestmark = pytest.mark.timeout(400)

SECTION = "The bus's store"
ROWS = 12
SLOW = {"TALLY_LATENCY_MS": "400"}


@contextmanager
def stopped_at_row(folder: Path, row: int) -> Iterator[tuple[House, str, Path]]:
    """A house that was stopped in the middle of a job of ROWS rows; the job and its file."""
    with running_house(folder, **SLOW) as house:
        orders = house.orders("orders.csv", ROWS)
        job_id = house.submit(orders)
        with house.watching(job_id) as watch:
            watch.until_row(row)
    yield house, job_id, orders


def go_on(house: House, job_id: str) -> None:
    """Have a job that was interrupted go on, and wait for its end."""
    if house.json("show", job_id)["status"] == "interrupted":
        assert house.run("resume", job_id).returncode == 0
    house.eventually(lambda: house.json("show", job_id), lambda job: job["status"].startswith("completed"))


def check(house: House, job_id: str, orders: Path, rows: int = ROWS) -> None:
    """Every row is sold once, and its number stands in the source."""
    job = house.eventually(lambda: house.json("show", job_id), lambda job: job["write_back"]["written"] == rows)
    assert job["rows"]["shipped"] == rows
    assert set(house.sold(job_id).values()) == {1}
    numbers = [row["tracking_numbers"][0] for row in house.json("rows", job_id)]
    assert numbers == tracking_numbers(orders)


def test_a_bus_that_is_put_back_as_it_was_goes_on_where_it_stood(tmp_path: Path) -> None:
    with stopped_at_row(tmp_path, 3) as (house, job_id, orders):
        later = house.orders("later.csv", 2, seed=7)
        with bus_alone(house) as url:
            asyncio.run(request(url, later))
        do_as_told(SECTION, "save", house.data_dir)
        shutil.rmtree(house.data_dir / "nats")
        do_as_told(SECTION, "put back", house.data_dir)
    with running_house(tmp_path, **SLOW) as house:
        go_on(house, job_id)
        check(house, job_id, orders)
        asked = house.eventually(lambda: house.json("jobs"), lambda jobs: len(jobs) == 2)
        taken_in = next(job["job_id"] for job in asked if job["job_id"] != job_id)
        go_on(house, taken_in)
        check(house, taken_in, later, 2)
        assert len(house.shipments()) == ROWS + 2


def test_a_bus_that_is_put_back_to_an_earlier_state_sells_nothing_again(tmp_path: Path) -> None:
    with stopped_at_row(tmp_path, 3) as (house, job_id, orders):
        do_as_told(SECTION, "save", house.data_dir)
    with running_house(tmp_path, **SLOW) as house:
        go_on(house, job_id)
        unfinished = house.submit(house.orders("later.csv", 6, seed=7))
        with house.watching(unfinished) as watch:
            watch.until_row(3)
    do_as_told(SECTION, "put back", house.data_dir)
    with running_house(tmp_path, **SLOW) as house:
        go_on(house, unfinished)
        check(house, job_id, orders)
        check(house, unfinished, tmp_path / "later.csv", 6)
        assert len(house.shipments()) == ROWS + 6


def test_a_machine_that_is_put_back_to_a_snapshot_looks_up_what_is_still_to_ship(tmp_path: Path) -> None:
    with stopped_at_row(tmp_path, 3) as (house, job_id, orders):
        database = tmp_path / "jobs.backup"
        back_up(f"sqlite:///{house.data_dir / 'jobs.db'}", database)
        do_as_told(SECTION, "save", house.data_dir)
    with running_house(tmp_path) as house:
        go_on(house, job_id)
    do_as_told(SECTION, "put back", house.data_dir)
    for command in (("restore", str(database)), ("distrust",)):
        done = administer(house, *command, TALLY_INTERRUPTED_AFTER="0.1")
        assert done.returncode == 0, done.stderr
    with running_house(tmp_path) as house:
        go_on(house, job_id)
        check(house, job_id, orders)
        assert len(house.shipments()) == ROWS


@contextmanager
def bus_alone(house: House) -> Iterator[str]:
    """The house's bus without any service; its URL."""
    written = house.data_dir / "nats.conf"
    listens = next(line for line in written.read_text().splitlines() if line.startswith("listen:"))
    server = subprocess.Popen([find_server(), "-c", str(written)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"nats://{listens.split()[1].strip(chr(34))}"
    finally:
        server.terminate()
        server.wait(30)


async def request(url: str, orders: Path) -> None:
    """Publish a job request that nobody is there to take in."""
    client = await connected(url)
    wanted = JobRequest(request_id=orders.stem, source=CsvSource(path=str(orders)), mode=JobMode.AUTO)
    publisher = Publisher(client.jetstream(timeout=5))
    await publisher.publish(subjects.REQUESTS, subjects.SUBMIT, wanted, message_id=fresh_id())
    await client.close()
