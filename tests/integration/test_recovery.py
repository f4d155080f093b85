"""Kill -9 of any one process in the middle of a job: it is started again and the job finishes without a hand."""

import os
import queue
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from tests.integration.house import PATIENCE, House, tracking_numbers

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
            ended = watch.until_end()
        house.until_restarted(name, before)
    if name == "sandbox" and ended["type"] == "failed":
        # A carrier that is away for longer than a call may wait is an error that a person resumes from.
        assert ended["error"]["code"] in {"E-3002", "E-3006"}
        house.run("resume", job_id)
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


def test_a_shipper_frozen_through_a_takeover_buys_nothing_on_thawing(house: House) -> None:
    environment = psutil.Process(house.pid("shipper")).environ() | {"TALLY_FAILPOINTS": "shipper.after_claim=stop@1"}
    with subprocess.Popen(
        [sys.executable, "-m", "services.shipper"], env=environment, stderr=subprocess.PIPE, text=True
    ) as frozen:
        try:
            said = read_lines(frozen)
            until_said(said, "running")
            jobs: list[str] = []
            # It has no place before the others gave one up.
            while os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG) is None:
                jobs.append(house.submit(house.orders(f"frozen{len(jobs)}.csv", 6, seed=51 + 100 * len(jobs))))
            assert {house.finished(job_id)["status"] for job_id in jobs} == {"completed"}
            os.kill(frozen.pid, signal.SIGCONT)
            until_said(said, "taken over")
        finally:
            frozen.kill()
    assert {sold for job_id in jobs for sold in house.sold(job_id).values()} == {1}


def read_lines(process: subprocess.Popen[str]) -> queue.Queue[str]:
    """What a process says, as it says it."""
    lines: queue.Queue[str] = queue.Queue()
    assert process.stderr is not None
    stream = process.stderr

    def read() -> None:
        for line in stream:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def until_said(lines: queue.Queue[str], words: str) -> None:
    while words not in lines.get(timeout=PATIENCE):
        pass
