"""A house on PostgreSQL: two coordinators and two shippers side by side, one of each killed; then an older backup."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import make_url

from tests.integration.house import House, running_house, tracking_numbers
from tests.integration.job_databases import JobDatabases

JOBS, ROWS = 3, 15


@contextmanager
def another(house: House, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One more process of a service, told what the house tells its own."""
    environment = psutil.Process(house.pid(name)).environ()
    with (house.folder / f"{name}-2.log").open("ab") as log:
        command = [sys.executable, "-m", f"services.{name}"]
        process = subprocess.Popen(command, cwd=house.folder, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def tool(server_origin: str, name: str) -> str:
    found = shutil.which(name, path=f"{Path(server_origin).parent}:{os.environ['PATH']}")
    return found or pytest.skip(f"there is no {name} on this machine")


def run(command: str, url: str, *arguments: str) -> None:
    place = make_url(url)
    environment = os.environ | {"PGPASSWORD": str(place.password)}
    where = ("-h", str(place.host), "-p", str(place.port), "-U", str(place.username))
    done = subprocess.run(
        [command, *where, *arguments], env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr


def test_jobs_side_by_side_lose_no_row_and_buy_none_twice_nor_after_an_older_backup_is_put_back(
    tmp_path: Path, served_job_databases: JobDatabases
) -> None:
    url, origin = served_job_databases.make(empty=True), served_job_databases.server.origin
    database, dump = url.rpartition("/")[2], str(tmp_path / "jobs.dump")
    with running_house(tmp_path, TALLY_DATABASE_URL=url, TALLY_LATENCY_MS="100") as house, ExitStack() as stack:
        stack.enter_context(another(house, "coordinator"))
        shipper = stack.enter_context(another(house, "shipper"))
        files = [house.orders(f"orders-{number}.csv", ROWS, seed=number) for number in range(JOBS)]
        ids = [house.submit(file) for file in files]
        with house.watching(ids[-1]) as watch:
            watch.until_row(4)
            run(tool(origin, "pg_dump"), url, "--format=custom", f"--file={dump}", database)
            house.kill("coordinator")
            os.kill(shipper.pid, signal.SIGKILL)
            watch.until_end()
        until_completed(house, ids)
        expect_each_sold_once(house, ids, files)
    run(tool(origin, "pg_restore"), url, "--clean", "--if-exists", f"--dbname={database}", dump)
    with running_house(tmp_path, TALLY_DATABASE_URL=url) as house:
        until_completed(house, ids)
        expect_each_sold_once(house, ids, files)


def until_completed(house: House, ids: list[str]) -> None:
    """Wait until every job is; while a coordinator is gone a question may have no answer."""

    def statuses() -> list[str]:
        return [house.json("show", job_id).get("status", "unknown") for job_id in ids]

    house.eventually(statuses, lambda found: set(found) == {"completed"})


def expect_each_sold_once(house: House, ids: list[str], files: list[Path]) -> None:
    assert len(house.shipments()) == JOBS * ROWS
    for job_id, file in zip(ids, files, strict=True):
        rows = house.json("rows", job_id)
        assert {row["status"] for row in rows} == {"shipped"}
        assert house.sold(job_id) == {row["reference"]: 1 for row in rows}
        assert [row["tracking_numbers"][0] for row in rows] == tracking_numbers(file)
