"""Kill -9 of any one process in the middle of a job: it is started again and the job finishes without a hand."""

import pytest

from tests.integration.house import House, tracking_numbers

PROCESSES = ("coordinator", "shipper", "writeback", "nats", "sandbox")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_job_survives_the_death_of(name: str, house: House) -> None:
    path = house.orders(f"killed-{name}.csv", 30, seed=40 + PROCESSES.index(name))
    before = house.pid(name)
    with house.faults({"match": {"path": "/ship"}, "fault": "latency", "ms": 40}):
        job_id = house.submit(path)
        with house.watching(job_id) as watch:
            watch.until_row(10)
            house.kill(name)
            watch.until_end()
    job = house.json("show", job_id)
    assert (job["status"], job["rows"]["shipped"], job["cursor"]) == ("completed", 30, 30)
    assert house.pid(name) != before
    rows = house.json("rows", job_id)
    assert house.sold(job_id) == {row["reference"]: 1 for row in rows}
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in rows]


def test_a_shipper_that_dies_between_call_and_record_leaves_one_label_and_its_number(house: House) -> None:
    path = house.orders("in-between.csv", 3, seed=50)
    with house.faults({"match": {"nth": 2}, "fault": "hang_after_commit", "ms": 20000}):
        job_id = house.submit(path)
        with house.watching(job_id) as watch:
            watch.until_row(1)
            while house.sold(job_id).total() < 2:
                pass
        house.kill("shipper")
        assert house.finished(job_id)["status"] == "completed"
    assert house.sold(job_id).total() == 3
    row = house.json("show", job_id, "2")
    assert row["tracking_numbers"][0] in row["evidence"][-1]["answer"]
