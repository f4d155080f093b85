"""A job database that is put back to an earlier state: what was sold meanwhile is not sold again, and not lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.coordinator.database.backup import back_up, put_back
from shared.errors import TallyError
from tests.integration.house import House, running_house, tracking_numbers
from tests.integration.job_steps import NOW
from tests.integration.nats_servers import connected

ROWS = 12


def administer(house: House, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m services.coordinator …` as somebody who looks after the house."""
    return subprocess.run(
        [sys.executable, "-m", "services.coordinator", *arguments],
        cwd=house.folder,
        env=house.environment | settings,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def shipped_rows(house: House, job_id: str) -> list[dict[str, Any]]:
    return [row for row in house.json("rows", job_id) if row["status"] == "shipped"]


def test_what_was_sold_after_a_backup_is_known_after_it_was_put_back(tmp_path: Path) -> None:
    backup = tmp_path / "jobs.backup"
    with running_house(tmp_path, TALLY_LATENCY_MS="400") as house:
        orders = house.orders("orders.csv", ROWS)
        job_id = house.submit(orders)
        with house.watching(job_id) as watch:
            watch.until_row(3)
            back_up(f"sqlite:///{house.data_dir / 'jobs.db'}", backup)
            assert watch.until_end()["type"] == "completed"
        made = administer(house, "backup", str(tmp_path / "later.backup"))
        assert made.returncode == 0, made.stderr
        later = house.submit(house.orders("later.csv", 2, seed=7))
        request_id = house.finished(later)["request_id"]
        refused = administer(house, "restore", str(backup))
        assert "E-4077" in refused.stderr
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    done = administer(house, "restore", str(backup), TALLY_INTERRUPTED_AFTER="0.1")
    assert done.returncode == 0, done.stderr
    with running_house(tmp_path) as house:
        assert house.run("show", later).returncode == 1  # nobody knows that job any more: it came after the backup
        job = house.eventually(lambda: house.json("show", job_id), lambda job: job["rows"]["shipped"] == ROWS)
        if job["status"] == "interrupted":
            house.run("resume", job_id)
        job = house.eventually(lambda: house.json("show", job_id), lambda job: job["status"].startswith("completed"))
        assert set(house.sold(job_id).values()) == {1}
        assert len(house.shipments()) == ROWS + 2
        numbers = [row["tracking_numbers"][0] for row in house.json("rows", job_id)]
        assert numbers == tracking_numbers(orders)
        assert job["write_back"]["written"] == ROWS
        assert "a label of a job that the job database does not know" in log_of(house)
        assert house.run("audit", "verify").returncode == 0
        # Its orders may be others: what the ledger has would be taken for theirs.
        house.orders("later.csv", 2, seed=8)
        again = {"request_id": request_id, "source": {"kind": "csv", "path": "later.csv"}, "mode": "auto"}
        asyncio.run(publish(house.status["nats_url"], again))
        forgotten = house.eventually(lambda: house.json("show", later), lambda job: job.get("status") == "failed")
        assert forgotten["error"]["code"] == "E-4074"
        assert len(house.shipments()) == ROWS + 2


async def publish(nats_url: str, request: dict[str, Any]) -> None:
    """Publish a job request as any client may."""
    connection = await connected(nats_url)
    await connection.jetstream().publish("tally.requests.submit", json.dumps(request).encode())
    await connection.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("lost", ["purged", "wiped"])
def test_what_neither_database_nor_ledger_knows_is_looked_up_before_it_is_bought(tmp_path: Path, lost: str) -> None:
    backup = tmp_path / "jobs.backup"
    with running_house(tmp_path, TALLY_LATENCY_MS="300") as house:
        orders = house.orders("orders.csv", 6)
        job_id = house.submit(orders)
        with house.watching(job_id) as watch:
            watch.until_row(2)
            back_up(f"sqlite:///{house.data_dir / 'jobs.db'}", backup)
            watch.until_end()
        written = tracking_numbers(orders)
        if lost == "purged":
            purged = house.run("purge", "--older-than", "0h", "--yes")
            assert purged.returncode == 0, purged.stdout + purged.stderr
    assert administer(house, "restore", str(backup), TALLY_INTERRUPTED_AFTER="0.1").returncode == 0
    if lost == "wiped":
        shutil.rmtree(house.data_dir / "nats")
        distrusted = administer(house, "distrust")
        assert distrusted.returncode == 0, distrusted.stderr
        assert int(distrusted.stdout.removeprefix("to be looked up: ")) in range(3, 6)
    with running_house(tmp_path) as house:
        house.eventually(lambda: house.json("show", job_id), lambda job: job["status"].startswith("completed"))
        rows = house.json("rows", job_id)
        assert [row["status"] for row in rows] == ["shipped"] * 6
        assert [row["tracking_numbers"][0] for row in rows] == written == tracking_numbers(orders)
        assert len(house.shipments()) == 6


def test_a_folder_without_a_job_database_is_told_of_rather_than_distrusted(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.coordinator", "distrust"],
        env=os.environ | {"TALLY_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("E-4072: ")


def log_of(house: House) -> str:
    return "".join(path.read_text() for path in house.data_dir.glob("logs/coordinator*"))


async def test_a_file_that_is_no_backup_is_not_put_back(tmp_path: Path) -> None:
    (tmp_path / "jobs.backup").write_text("no database")
    with pytest.raises(TallyError, match="E-4076"):
        await put_back(f"sqlite:///{tmp_path / 'jobs.db'}", tmp_path / "jobs.backup", NOW, timedelta(seconds=15))
    assert not (tmp_path / "jobs.db").exists()


def test_a_database_that_is_not_there_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(TallyError, match="E-4075"):
        back_up(f"sqlite:///{tmp_path / 'jobs.db'}", tmp_path / "jobs.backup")
    assert list(tmp_path.iterdir()) == []


def test_a_database_on_a_server_is_left_to_its_own_tools(tmp_path: Path) -> None:
    with pytest.raises(TallyError, match="E-4078"):
        back_up("postgresql://127.0.0.1:1/jobs", tmp_path / "jobs.backup")
