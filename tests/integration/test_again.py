"""The same work submitted again: skipped, shipped again on request, done over as a restart, with a whole house."""

import json
from pathlib import Path

import pytest

from tests.integration.house import House, tracking_numbers


@pytest.fixture
def orders(house: House, request: pytest.FixtureRequest) -> Path:
    name = request.node.name
    return house.orders(f"{name}.csv", 3, seed=900 + sum(map(ord, name)))


def ship(house: House, path: Path, *arguments: str) -> str:
    job_id = house.submit(path, *arguments)
    assert house.finished(job_id)["status"] == "completed"
    return job_id


def shipped_then_failed(house: House, path: Path) -> str:
    """A job whose second row failed."""
    refusal = {"status": 400, "code": "111285", "message": "The postal code is invalid"}
    with house.faults({"match": {"path": "/ship", "nth": 2}, "fault": "error", **refusal}):
        job = house.json("ship", str(path), "--mode", "auto")
    assert (job["status"], job["rows"]["shipped"]) == ("failed", 1)
    return job["job_id"]


def live(house: House, *job_ids: str) -> list[str]:
    references = {row["reference"] for job_id in job_ids for row in house.json("rows", job_id)}
    sold = [one for one in house.shipments() if one["reference"] in references and not one["voided"]]
    return sorted(number for one in sold for number in one["tracking_numbers"])


def test_a_preview_of_what_is_shipped_names_the_earlier_job_and_its_numbers(house: House, orders: Path) -> None:
    job_id = ship(house, orders)
    numbers = tracking_numbers(orders)
    text = " ".join(house.run("preview", str(orders)).stdout.split())
    assert f"3 rows are shipped by job {job_id}; --reship ships them again." in text
    for number, tracking_number in enumerate(numbers, start=1):
        assert f"Row {number} is skipped: Already shipped by job {job_id}, row {number}: {tracking_number}." in text
    document = house.json("preview", str(orders))
    assert document["skipped_by"] == [{"job_id": job_id, "count": 3}]
    again = house.json("preview", str(orders), "--reship")
    assert (again["to_ship"], again["shipped_again"]) == (3, 3)


def test_reship_buys_again_and_its_numbers_take_the_place_of_the_old_ones(house: House, orders: Path) -> None:
    old = ship(house, orders)
    before = tracking_numbers(orders)
    new = ship(house, orders, "--reship")
    after = tracking_numbers(orders)
    assert not set(before) & set(after)
    assert [row["tracking_numbers"][0] for row in house.json("rows", new)] == after
    assert live(house, old, new) == sorted(before + after)


def test_reship_replaces_a_number_that_somebody_else_put_there(house: House, orders: Path) -> None:
    ship(house, orders)
    number = tracking_numbers(orders)[1]
    orders.write_text(orders.read_text().replace(number, "1ZBYHAND"))
    job_id = ship(house, orders, "--reship")
    assert tracking_numbers(orders)[1] == house.json("show", job_id, "2")["tracking_numbers"][0]


def test_a_restart_warns_of_duplicates_and_without_a_terminal_leaves_it_at_that(house: House, orders: Path) -> None:
    job_id = shipped_then_failed(house, orders)
    done = house.run("restart", job_id)
    assert done.returncode == 4
    assert "Row 1 already has a tracking number; restarting creates a duplicate." in done.stderr
    assert house.json("show", job_id)["restarted_as"] is None


def test_a_restart_is_one_new_job_that_ships_every_row_again(house: House, orders: Path) -> None:
    job_id = shipped_then_failed(house, orders)
    old_number = tracking_numbers(orders)[0]
    done = house.run("restart", job_id, "--yes", "--json")
    new = json.loads(done.stdout)
    assert (done.returncode, new["status"], new["rows"]["shipped"]) == (0, "completed", 3)
    assert (new["restart_of"], new["mode"]) == (job_id, "auto")
    old = house.json("show", job_id)
    assert (old["status"], old["restarted_as"]) == ("cancelled", new["job_id"])
    numbers = tracking_numbers(orders)
    assert old_number not in numbers
    assert live(house, job_id, new["job_id"]) == sorted([old_number, *numbers])
    assert "Restart of" in house.run("show", new["job_id"]).stdout
    again = json.loads(house.run("restart", job_id, "--yes", "--json").stdout)
    assert again["job_id"] == new["job_id"]
    assert live(house, job_id, new["job_id"]) == sorted([old_number, *numbers])


def test_a_restart_that_voids_first_leaves_no_duplicate(house: House, orders: Path) -> None:
    job_id = shipped_then_failed(house, orders)
    done = house.run("restart", job_id, "--void", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Voided 1 label of job {job_id}." in done.stdout
    new = house.json("show", job_id)["restarted_as"]
    assert live(house, job_id, new) == sorted(tracking_numbers(orders))
    assert house.json("show", job_id)["rows"]["voided"] == 1


def test_a_restart_in_confirm_mode_waits_for_approval(house: House, orders: Path) -> None:
    job_id = shipped_then_failed(house, orders)
    new = json.loads(house.run("restart", job_id, "--yes", "--detach", "--mode", "confirm", "--json").stdout)
    assert new["mode"] == "confirm"
    assert house.finished(new["job_id"])["rows"]["shipped"] == 3


def test_a_job_that_nobody_knows_is_not_restarted(house: House) -> None:
    done = house.run("restart", "nosuchjob", "--yes")
    assert (done.returncode, "E-4003" in done.stderr) == (1, True)
