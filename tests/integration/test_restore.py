"""`tally restore` in a whole house: the file is as it was, what is lost is told, the job knows, the audit says who."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from tests.integration.house import House, tracking_numbers


def audit(house: House, job: str) -> list[tuple[str, str]]:
    with sqlite3.connect(house.data_dir / "jobs.db") as database:
        return database.execute(
            "SELECT actor, action FROM audit WHERE job_id = ? AND action LIKE 'source.%' ORDER BY seq", (job,)
        ).fetchall()


def test_a_file_is_put_back_as_it_was_and_the_job_knows_that_its_numbers_are_gone(house: House) -> None:
    path = house.orders("restored.csv", 4, seed=70)
    before = path.read_bytes()
    assert house.run("ship", str(path), "--yes").returncode == 0
    assert all(tracking_numbers(path))
    after = path.read_bytes()
    waiting = house.run("restore", "last")
    assert waiting.returncode == 4
    assert "4 tracking numbers go; the job keeps them" in waiting.stdout
    assert "Add --yes to restore" in waiting.stderr
    assert path.read_bytes() == after
    done = house.run("restore", "last", "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    restored = json.loads(done.stdout)
    assert path.read_bytes() == before
    assert Path(restored["kept_as"]).read_bytes() == after
    job = house.json("show", restored["job_id"])
    assert job["write_back"] == {"due": 0, "written": 0, "failed": 0, "removed": 4}
    assert job["status"] == "completed"
    assert [action for _, action in audit(house, job["job_id"])] == ["source.restore_ordered", "source.restored"]
    again = house.json("preview", str(path))
    assert (again["to_ship"], again["skipped"]) == (0, 4)


def test_a_persons_later_work_is_lost_only_if_they_insist(house: House) -> None:
    path = house.orders("reworked.csv", 3, seed=71)
    before = path.read_bytes()
    assert house.run("ship", str(path), "--yes").returncode == 0
    mine = path.read_bytes() + b"mine,too\n"
    path.write_bytes(mine)
    refused = house.run("restore", "last", "--yes")
    assert refused.returncode == 1
    assert "E-4025" in refused.stderr
    assert "row 4 changed or added" in refused.stdout
    assert path.read_bytes() == mine
    assert house.run("restore", "last", "--force").returncode == 0
    assert path.read_bytes() == before
