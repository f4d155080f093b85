"""The carrier's secret is another one: what stops, what is to be restarted; nothing is bought twice or lost."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.house import tracking_numbers
from tests.security.secure_house import SECRET_WORDS, SecureHouse, secure_house, write_planted

pytestmark = pytest.mark.timeout(400)
ROWS = 8
NEW = "planted-carrier-secret-of-tomorrow"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureHouse]:
    with secure_house(tmp_path_factory.mktemp("rotation")) as house:
        yield house


def references(secure: SecureHouse) -> Counter[str]:
    """How many live shipments the carrier holds for each reference."""
    return Counter(sold["reference"] for sold in secure.sold() if not sold["voided"])


def write_new_secret(secure: SecureHouse) -> None:
    """As an operator does: the new file in the place of the old one."""
    file = Path(secure.environment["TALLY_CARRIER__CLIENT_SECRET_FILE"])
    new = file.with_name("new")
    new.touch(0o600)
    new.write_text(f"{NEW}\n")
    new.replace(file)


def refused_job(secure: SecureHouse, resumed: subprocess.CompletedProcess[str] | None, job_id: str) -> int:
    """The row at which the job stands, for the carrier does not know the secret."""
    if resumed is not None:
        assert resumed.returncode == 1, resumed.stdout + resumed.stderr
    job = secure.house.json("show", job_id)
    assert (job["status"], job["error"]["code"], job["rows"]["in_doubt"]) == ("failed", "E-5003", 0)
    return int(job["error"]["row"])


def test_a_job_stops_at_a_secret_that_ended_and_goes_on_once_the_shipper_has_the_new_one(secure: SecureHouse) -> None:
    house = secure.house
    path = write_planted(house.folder / "rotated.csv", ROWS)
    with secure.faults({"match": {"path": "/ship"}, "fault": "latency", "ms": 400}):
        job_id = house.submit(path)
        with house.watching(job_id) as watch:
            watch.until_row(2)
            # The call in hand was let in with its token, and is answered.
            secure.carrier("PUT", "credentials", {"client_id": "tally", "client_secret": NEW})
            watch.until_end()
    at = refused_job(secure, None, job_id)
    statuses = [row["status"] for row in house.json("rows", job_id)]
    assert statuses == ["shipped"] * (at - 1) + ["failed"] + ["pending"] * (ROWS - at)
    assert len(references(secure)) == at - 1

    write_new_secret(secure)
    assert refused_job(secure, house.run("resume", job_id), job_id) == at  # a shipper reads its secret when it starts
    assert len(references(secure)) == at - 1

    secure.restart("shipper")
    resumed = house.run("resume", job_id)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert house.json("show", job_id, str(at))["attempt"] == 3
    rows = house.json("rows", job_id)
    assert references(secure) == Counter(row["reference"] for row in rows)
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in rows]


def test_a_command_that_no_shipper_took_waits_for_the_one_with_the_new_secret(secure: SecureHouse) -> None:
    """The order that needs no resume: shippers down, the secret changed at both ends, shippers up."""
    house = secure.house
    write_new_secret(secure)
    secure.restart("shipper")
    path = write_planted(house.folder / "waited.csv", ROWS)
    before = len(references(secure))
    with secure.faults({"match": {"path": "/ship"}, "fault": "latency", "ms": 400}):
        job_id = house.submit(path)
        with house.watching(job_id) as watch:
            watch.until_row(2)
            secure.processes["shipper"].terminate()
            secure.processes["shipper"].wait(60)
            secure.carrier("PUT", "credentials", {"client_id": "tally", "client_secret": NEW})
            secure.start("shipper")
            assert watch.until_end()["type"] == "completed"
    assert len(references(secure)) == before + ROWS
    assert set(references(secure).values()) == {1}
    assert all(tracking_numbers(path))


def test_no_process_has_a_secret_in_its_environment_and_none_logs_one(secure: SecureHouse) -> None:
    own = [process for name, process in secure.processes.items() if name != "nats"]  # users.conf takes them from there
    for process in (psutil.Process(one.pid) for one in own):
        for each in (process, *process.children(recursive=True)):
            assert not [word for word in SECRET_WORDS if word in json.dumps(each.environ())], each.name()
    logs = "".join(log.read_text() for log in (secure.folder / "logs").iterdir())
    assert not [word for word in SECRET_WORDS if word in logs]
