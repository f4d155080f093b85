"""A house that was stopped in the middle of a job: whoever comes back to it is told, and decides."""

from pathlib import Path

import pytest

from tests.integration.house import running_house, tracking_numbers

SLOW = {"match": {"path": "/ship"}, "fault": "latency", "ms": 300}


@pytest.mark.timeout(300)
def test_a_job_that_was_interrupted_is_told_of_until_it_is_resumed(tmp_path: Path) -> None:
    with running_house(tmp_path) as house:
        path = house.orders("orders.csv", 12, seed=990)
        house.carrier("PUT", "faults", json=[SLOW]).raise_for_status()
        job = house.json("ship", str(path))
        house.run("approve", job["job_id"])
        with house.watching(job["job_id"]) as watch:
            watch.until_row(2)
    with running_house(tmp_path) as house:
        shown = house.json("show", job["job_id"])
        assert shown["status"] == "interrupted"
        last = house.json("show", job["job_id"], str(shown["cursor"]))
        sentence = (
            f"Job 'orders.csv' was interrupted at row {shown['cursor']}/12. Last: row {shown['cursor']}"
            f" ({last['recipient']}, {last['tracking_numbers'][0]}). {12 - shown['cursor']} remaining."
        )
        assert sentence in (tmp_path / "up.log").read_text()
        assert sentence in house.run("show", job["job_id"]).stdout
        listed = house.run("jobs")
        assert (listed.returncode, listed.stderr.splitlines()[0]) == (0, sentence)
        resumed = house.run("resume", job["job_id"], "--json")
        assert (resumed.returncode, resumed.stderr) == (0, "")
        assert house.run("jobs").stderr == ""
        assert len(set(tracking_numbers(path))) == 12
        assert set(house.sold(job["job_id"]).values()) == {1}
