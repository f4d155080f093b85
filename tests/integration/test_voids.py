"""Labels given back: by the command line, through a whole house, to the carrier's ledger and the source's cells."""

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from shared.contracts.ledger import Shipped
from tests.integration.house import House, tracking_numbers

VOID = "/void/cancel/"


@pytest.fixture
async def bus(house: House) -> AsyncIterator[Client]:
    connection = await nats.connect(house.status["nats_url"])
    yield connection
    await connection.close()


@pytest.fixture
def orders(house: House, request: pytest.FixtureRequest) -> Path:
    name = request.node.name
    return house.orders(f"{name}.csv", 3, seed=700 + sum(map(ord, name)))


def ship(house: House, path: Path) -> str:
    job_id = house.submit(path)
    assert house.finished(job_id)["status"] == "completed"
    return job_id


def voided(house: House, job_id: str) -> list[str]:
    references = {row["reference"] for row in house.json("rows", job_id)}
    return [
        number
        for sold in house.shipments()
        if sold["voided"] and sold["reference"] in references
        for number in sold["tracking_numbers"]
    ]


def test_a_row_is_voided_with_the_carrier_and_only_its_number_leaves_the_file(house: House, orders: Path) -> None:
    before = orders.read_text()
    job_id = ship(house, orders)
    first, second, third = tracking_numbers(orders)
    done = house.run("void", job_id, "2", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"Voided 1 label of job {job_id}; 1 number cleared from {orders}."]
    assert voided(house, job_id) == [second]
    assert tracking_numbers(orders) == [first, "", third]
    job = house.json("show", job_id)
    assert (job["rows"]["shipped"], job["rows"]["voided"], job["status"]) == (2, 1, "completed")
    assert [row["status"] for row in house.json("rows", job_id)] == ["shipped", "voided", "shipped"]
    assert before.splitlines()[2] in orders.read_text().splitlines()[2]


def test_a_voided_row_ships_again_when_the_same_file_is_submitted(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    house.run("void", job_id, "1", "--yes")
    again = house.finished(house.submit(orders))
    assert (again["rows"]["shipped"], again["rows"]["skipped"]) == (1, 2)
    assert len(set(tracking_numbers(orders)) - {""}) == 3


def test_verify_clears_a_voided_number_that_a_person_put_back(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    shipped = orders.read_bytes()
    first, _, third = tracking_numbers(orders)
    house.run("void", job_id, "2", "--yes")
    cleared = orders.read_bytes()
    assert "2 of 2 tracking numbers" in house.run("verify", job_id).stdout
    orders.write_bytes(shipped)
    found = house.json("verify", job_id)
    assert (found["agrees"], found["matching"], found["voided"], found["rewritten"]) == (True, 2, 0, 1)
    assert orders.read_bytes() == cleared
    assert tracking_numbers(orders) == [first, "", third]


def test_voiding_all_twice_is_the_same_as_once(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    first = json.loads(house.run("void", job_id, "--yes", "--json").stdout)
    assert {row["status"] for row in first["rows"]} == {"voided"}
    again = house.run("void", job_id, "1-3", "--yes", "--json")
    assert (again.returncode, len(json.loads(again.stdout)["rows"])) == (0, 3)
    assert house.run("void", job_id, "--yes").stdout == f"Nothing to void: no row of job {job_id} is shipped.\n"
    assert len(voided(house, job_id)) == 3
    assert tracking_numbers(orders) == ["", "", ""]


def test_what_the_carrier_refuses_to_void_stays_shipped_and_says_why(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    numbers = tracking_numbers(orders)
    refusal = {"status": 400, "code": "190102", "message": "No shipment found within the allowed void period"}
    with house.faults({"match": {"path": VOID}, "fault": "error", **refusal}):
        done = house.run("void", job_id, "3", "--yes")
    assert done.returncode == 1
    assert "E-3020" in done.stdout
    assert "(190102): No shipment found within the allowed void period" in done.stdout
    row = house.json("show", job_id, "3")
    assert (row["status"], row["error"]["code"]) == ("shipped", "E-3020")
    assert tracking_numbers(orders) == numbers


def test_a_lost_answer_to_a_void_is_asked_for_again(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    with house.faults({"match": {"path": VOID, "nth": 1}, "fault": "drop_after_commit"}):
        assert house.run("void", job_id, "1", "--yes").returncode == 0
    assert len(voided(house, job_id)) == 1


def test_a_shipper_that_dies_in_the_middle_of_a_void_leaves_it_done(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    with house.faults({"match": {"path": VOID, "nth": 1}, "fault": "hang_after_commit", "ms": 20000}):
        voiding = house.start("void", job_id, "1", "--yes", "--json")
        while not voided(house, job_id):
            pass
        os.kill(house.pid("shipper"), signal.SIGKILL)
        output, _ = voiding.communicate(timeout=90)
    assert voiding.returncode == 0
    assert json.loads(output)["rows"][0]["status"] == "voided"
    assert tracking_numbers(orders)[0] == ""


def test_a_number_that_somebody_put_there_meanwhile_is_left_alone(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    number = tracking_numbers(orders)[0]
    orders.write_text(orders.read_text().replace(number, "1ZBYHAND"))
    done = house.run("void", job_id, "1", "--yes")
    assert "E-4012" in done.stdout
    assert tracking_numbers(orders)[0] == "1ZBYHAND"
    assert house.json("show", job_id)["status"] == "completed_with_warnings"


def test_without_a_terminal_and_without_yes_nothing_is_voided(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    done = house.run("void", job_id)
    assert done.returncode == 4
    assert done.stdout.startswith("Nothing was voided. Rows 1–3. Void 3 labels of job ")
    assert voided(house, job_id) == []


@pytest.mark.parametrize("words", [["0"], ["x"], ["3-1"], ["1", "2", "--number", "1Z"], ["--number", "1Z"]])
def test_rows_typed_wrong_are_told_as_usage(words: list[str], house: House) -> None:
    assert house.run("void", "last", *words).returncode == 2


async def test_a_second_label_is_told_and_voided_by_its_number(house: House, orders: Path, bus: Client) -> None:
    job_id = ship(house, orders)
    row = house.json("show", job_id, "2")
    other_job = ship(house, house.orders("second-label.csv", 1, seed=790))
    sold = house.json("show", other_job, "1")["tracking_numbers"]
    late = Shipped(
        job_id=job_id,
        row_number=2,
        attempt=2,
        epoch="an earlier one",
        claim_id="late",
        shipment_id=sold[0],
        tracking_numbers=sold,
        cost=row["cost"],
        label_key=None,
        shipped_at=row["shipped_at"],
    )
    warned = await bus.subscribe(f"tally.events.{job_id}.completed_with_warnings")
    await bus.jetstream().publish(f"tally.ledger-late.{job_id}.2", late.encode(), stream="LEDGER")
    await warned.next_msg(60)
    error = house.json("show", job_id, "2")["error"]
    assert error["code"] == "E-3021"
    assert row["tracking_numbers"][0] in error["message"]
    assert sold[0] in error["message"]
    assert "1 second label was sold" in house.run("show", job_id).stdout
    assert house.run("void", job_id, "2", "--number", "1ZELSE", "--yes").returncode == 1
    done = house.run("void", job_id, "2", "--number", sold[0], "--yes")
    assert (done.returncode, done.stdout) == (0, f"Voided 1 label of job {job_id}.\n")
    assert house.json("show", job_id)["status"] == "completed"
    assert house.json("show", job_id, "2")["status"] == "shipped"
    assert [shipment["voided"] for shipment in house.shipments() if shipment["shipment_id"] == sold[0]] == [True]
