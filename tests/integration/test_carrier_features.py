"""What the carrier says of a batch before it ships, and what it charges: addresses, lanes, services, prices."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.integration.house import House, tracking_numbers

ADDRESSES = "/api/addressvalidation"
SHIP = "/api/shipments"
AS_IT_IS: dict[str, str] = {}


def edited(house: House, name: str, count: int, seed: int, *changes: dict[str, str]) -> Path:
    """A file of orders to homes in Austin by ground, the first ones with `changes`."""
    path = house.orders(name, count, seed=seed)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, change in zip_longest(rows, changes, fillvalue=AS_IT_IS):
        home = {"address_1": f"{len(row['name'])} Orchard Walk", "address_2": "", "company": "", "residential": "yes"}
        row.update(home | {"city": "Austin", "state": "TX", "zip": "78704", "service": "Ground"} | change)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def warned(document: dict[str, Any]) -> dict[int, list[str]]:
    return {row["row_number"]: [warning["code"] for warning in row["warnings"]] for row in document["rows"]}


def total(rows: list[dict[str, Any]], field: str) -> Decimal:
    return sum((Decimal(row[field]["amount"]) for row in rows), Decimal(0))


def test_a_row_whose_address_the_carrier_knows_otherwise_says_so_and_ships_as_it_is_written(house: House) -> None:
    changes = (
        {"city": "Boston"},
        {"address_1": "1 Nowhere Lane"},
        {"address_1": "1 Elm Court", "residential": "no"},
    )
    path = edited(house, "addresses.csv", 4, 501, *changes)
    preview, job = house.json("preview", str(path)), house.json("ship", str(path))
    told = [
        [(warning["code"], warning["field"], warning["suggestion"]) for warning in row["warnings"]]
        for row in preview["rows"]
    ]
    assert [(code, field) for ((code, field, _),) in told[:3]] == [
        ("address_suggested", "city"),
        ("address_unknown", "address_1"),
        ("residential", "residential"),
    ]
    assert told[0][0][2].endswith("AUSTIN, TX 78704")
    assert told[3] == []
    assert (preview["warned"], job["rows"]["warned"], job["notes"]) == (3, 3, [])
    rows = house.json("rows", job["job_id"])
    assert [row["warnings"] for row in rows] == [row["warnings"] for row in preview["rows"]]
    assert rows[0]["destination"] == "Boston, TX"


def test_a_directory_that_is_away_is_told_once_and_fails_nothing(house: House) -> None:
    path = edited(house, "away.csv", 3, 503, {"city": "Boston"})
    with house.faults({"match": {"path": ADDRESSES}, "fault": "error", "status": 403, "code": "250004"}):
        preview = house.json("preview", str(path))
        job = house.json("ship", str(path))
    assert (preview["warned"], preview["rated"], len(preview["notes"])) == (0, 3, 1)
    assert preview["notes"][0].startswith("No address was checked with the carrier (E-3004")
    assert (job["status"], job["notes"]) == ("awaiting_approval", preview["notes"])


def test_a_row_whose_service_its_lane_has_not_is_refused_in_the_carriers_words_or_left_out(house: House) -> None:
    path = edited(house, "lane.csv", 2, 504, {"service": "Worldwide Express"})
    preview = house.json("preview", str(path))
    error = preview["rows"][0]["error"]
    assert (error["code"], preview["to_ship"], preview["unrated"], preview["rated"]) == ("E-3034", 2, 1, 1)
    assert "unavailable between the selected locations" in error["message"]
    refused = house.run("ship", str(path), "--yes", "--json")
    told = json.loads(refused.stdout)["error"]
    assert (refused.returncode, told["code"]) == (1, "E-2010")
    assert [(detail["code"], detail["row"]) for detail in told["details"]] == [("E-3034", 1)]
    job = house.json("ship", str(path), "--yes", "--skip-invalid")
    assert (job["status"], job["rows"]["shipped"], job["rows"]["skipped"], job["rows"]["refused"]) == (
        "completed",
        1,
        1,
        1,
    )
    assert [bool(number) for number in tracking_numbers(path)] == [False, True]


def test_prices_that_are_none_of_the_accounts_own_are_warned_of_and_noted_once(house: House) -> None:
    path = edited(house, "published.csv", 2, 505)
    with house.faults({"fault": "published_rates"}):
        preview = house.json("preview", str(path))
        job = house.json("ship", str(path))
    note = "The carrier named its published rates for 2 rows, none of your account's own."
    assert (preview["notes"], warned(preview)) == ([note], {1: ["not_negotiated"], 2: ["not_negotiated"]})
    assert (job["notes"], job["rows"]["warned"]) == ([note], 2)


def test_services_are_compared_by_what_the_whole_batch_would_cost(house: House) -> None:
    path = house.orders("compare.csv", 6, seed=506)
    compared = house.json("preview", str(path), "--compare")
    services = {service["service"]: service for service in compared["services"]}
    assert {service["rows"] for service in services.values()} == {6}
    assert (compared["rated"], compared["unrated"], compared["own_rows"]) == (6, 0, 6)
    alone = house.json("preview", str(path), "--service", "next_day_air")
    assert Decimal(alone["estimate"]["amount"]) == Decimal(services["next_day_air"]["cost"]["amount"])
    assert Decimal(compared["own"]["amount"]) == Decimal(house.json("preview", str(path))["estimate"]["amount"])
    cheapest = house.json("preview", str(path), "--service", "cheapest")
    assert Decimal(cheapest["estimate"]["amount"]) == Decimal(compared["cheapest"]["amount"])
    assert services["next_day_air"]["most_days"] == 1


@pytest.mark.parametrize("mode", ["auto", "confirm"])
def test_what_was_chosen_for_each_row_is_what_ships(house: House, mode: str) -> None:
    path = house.orders(f"cheapest-{mode}.csv", 4, seed=507 if mode == "auto" else 508)
    day = (datetime.now(UTC) + timedelta(days=5)).date()
    job = json.loads(
        house.run("ship", str(path), "--service", f"cheapest-by:{day}", "--mode", mode, "--yes", "--json").stdout
    )
    assert (job["status"], job["rows"]["shipped"], job["rows"]["rated"]) == ("completed", 4, 4)
    rows = house.json("rows", job["job_id"])
    assert total(rows, "cost") == total(rows, "estimate")
    codes = {"ground": "03", "3_day_select": "12", "2nd_day_air": "02", "next_day_air_saver": "13"}
    sold = {shipment["reference"]: shipment["service"] for shipment in house.shipments()}
    assert [sold[row["reference"]] for row in rows] == [codes[row["service"]] for row in rows]


def test_a_batch_for_which_nothing_is_in_time_is_refused_row_by_row(house: House) -> None:
    path = house.orders("late.csv", 2, seed=509)
    preview = house.json("preview", str(path), "--service", "cheapest-by:2020-01-01")
    assert [row["error"]["code"] for row in preview["rows"]] == ["E-3041", "E-3041"]
    refused = house.run("ship", str(path), "--service", "cheapest-by:2020-01-01", "--json")
    error = json.loads(refused.stdout)["error"]
    assert (refused.returncode, error["code"]) == (1, "E-2010")
    assert [(detail["code"], detail["row"]) for detail in error["details"]] == [("E-3041", 1), ("E-3041", 2)]


def test_a_job_pauses_at_a_row_that_costs_more_than_its_preview_said_and_goes_on(house: House) -> None:
    path = house.orders("guard.csv", 3, seed=510)
    with house.faults({"match": {"path": SHIP, "nth": 2}, "fault": "surcharge", "amount": "40.00"}):
        paused = house.run("ship", str(path), "--yes", "--json")
    job = json.loads(paused.stdout)
    assert (paused.returncode, job["status"], job["cursor"]) == (4, "paused", 2)
    assert (job["error"]["code"], job["error"]["row"]) == ("E-3040", 2)
    house.eventually(
        lambda: tracking_numbers(path), lambda numbers: [bool(number) for number in numbers] == [True, True, False]
    )
    assert house.run("resume", job["job_id"]).returncode == 0
    done = house.json("show", job["job_id"])
    assert (done["status"], done["rows"]["shipped"], done["error"]) == ("completed", 3, None)
