"""A batch with rows that a person should look at and rows that cannot ship, through a whole house."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.house import House, tracking_numbers

HEADER = "order_number,name,company,address_1,city,state,zip,weight,phone,service\n"
ORDERS = (
    "W-1,Ann Lee,,1 Main St,Boston,MA,02110,2,617-555-0101,Ground\n",
    "W-2,Bo Diaz,,2 Elm St,Boston,MA,94107,3,617-555-0102,Ground\n",
    "W-3,Cy Park,,3 Oak St,Boston,MA,,2,617-555-0103,Ground\n",
    "W-4,Di Roy,The Old Curiosity Shop and Emporium of Fine Goods,4 Ash St,Boston,MA,02110,4,555-0104,Ground\n",
    "W-1,Ed Fox,,5 Fir St,Boston,MA,02110,5,617-555-0105,Ground\n",
    "W-6,Fay Wu,,6 Bay St,Boston,,02110,-6,617-555-0106,Ground\n",
)
REASONS = [
    ("3", "W-3", "Cy Park", "postal_code", "E-2011"),
    ("6", "W-6", "Fay Wu", "state", "E-2011"),
    ("6", "W-6", "Fay Wu", "weight", "E-2012"),
]


@pytest.fixture
def orders(house: House) -> Path:
    path = house.folder / "warned.csv"
    if not path.exists():
        path.write_text(HEADER + "".join(ORDERS), encoding="utf-8")
    return path


def reasons(path: Path) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row.values())[:5] for row in csv.DictReader(file)]


def test_one_row_that_cannot_ship_holds_the_others_back_and_a_file_lists_why(house: House, orders: Path) -> None:
    for command in ("preview", "ship"):
        refused = house.run(command, str(orders), "--errors-out", f"{command}-errors.csv")
        assert refused.returncode == 1
        assert "E-2010: 2 of 6 rows cannot ship; nothing was shipped." in " ".join(refused.stderr.split())
        written = house.folder / f"{command}-errors.csv"
        assert reasons(written) == REASONS
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
    house.run("inspect", str(orders), "--errors-out", "inspect-errors.csv", "--json")
    assert reasons(house.folder / "inspect-errors.csv") == REASONS
    source = house.run("preview", str(orders), "--errors-out", str(orders))
    assert source.returncode == 2


def test_left_out_they_are_listed_and_the_others_have_their_warnings(house: House, orders: Path) -> None:
    preview: dict[str, Any] = house.json("preview", str(orders), "--skip-invalid")
    assert [preview[name] for name in ("total", "to_ship", "skipped", "refused")] == [6, 4, 2, 2]
    assert [(problem["row"], problem["field"]) for problem in preview["problems"]] == [
        (3, "postal_code"),
        (6, "state"),
        (6, "weight"),
    ]
    told = {
        row["row_number"]: {warning["code"]: warning for warning in row["warnings"]}
        for row in preview["rows"]
        if not row["skipped"]
    }
    assert told.keys() == {1, 2, 4, 5}
    assert told[2]["zip_state_mismatch"]["suggestion"] == "CA"
    assert {"phone_unusual", "text_cut"} <= told[4].keys()
    assert told[5]["possible_duplicate"]["message"] == "Row 1 has the same order number."
    shown = " ".join(house.run("preview", str(orders), "--skip-invalid", "--expand").stdout.split())
    assert "2 rows cannot ship and are left out: E-2011 (row 3): postal_code is missing." in shown
    assert "Row 1 has the same order number." in shown


def test_the_others_ship_and_the_lines_of_those_left_out_stay_as_they_are(house: House, orders: Path) -> None:
    before = orders.read_text(encoding="utf-8").splitlines()
    shipped = house.run("ship", str(orders), "--skip-invalid", "--yes", "--json")
    assert shipped.returncode == 0, shipped.stdout
    job = json.loads(shipped.stdout)
    assert job["status"] == "completed"
    assert (job["rows"]["shipped"], job["rows"]["skipped"], job["rows"]["refused"]) == (4, 2, 2)
    rows = {row["row_number"]: row for row in house.json("rows", job["job_id"])}
    assert [(number, row["recipient"]) for number, row in rows.items() if row["status"] == "skipped"] == [
        (3, "Cy Park"),
        (6, "Fay Wu"),
    ]
    assert [error["field"] for error in (rows[6]["error"], *rows[6]["error"]["details"])] == ["state", "weight"]
    assert [warning["code"] for warning in rows[5]["warnings"]].count("possible_duplicate") == 1
    after = orders.read_text(encoding="utf-8").splitlines()
    empty = ",,"  # the cells of the columns that the others' numbers are in
    assert [line for line, old in zip(after, before, strict=True) if line == old + empty] == [after[3], after[6]]
    assert [bool(number) for number in tracking_numbers(orders)] == [True, True, False, True, True, False]
    details = " ".join(house.run("show", job["job_id"]).stdout.split())
    assert "4 of 4 shipped, 2 left out, as they cannot ship" in details

    corrected = (
        orders.read_text(encoding="utf-8")
        .replace(",MA,,2", ",MA,02110,2")
        .replace("Boston,,02110,-6", "Boston,MA,02110,6")
    )
    orders.write_text(corrected, encoding="utf-8")
    rest = house.json("ship", str(orders), "--yes")
    assert (rest["rows"]["shipped"], rest["rows"]["skipped"], rest["rows"]["refused"]) == (2, 4, 0)

    other = house.folder / "other.csv"
    other.write_text(HEADER + ORDERS[1].replace("94107", "02110"), encoding="utf-8")
    (row,) = house.json("preview", str(other))["rows"]
    (duplicate,) = [warning for warning in row["warnings"] if warning["code"] == "possible_duplicate"]
    assert duplicate["message"] == f"Row 2 of job {job['job_id']}, which is shipped, has the same order number."
    other.write_text(HEADER + ORDERS[0].replace("W-1", "X-1"), encoding="utf-8")
    (row,) = house.json("preview", str(other))["rows"]
    assert [warning["message"] for warning in row["warnings"] if warning["code"] == "possible_duplicate"] == [
        f"Row 1 of job {job['job_id']}, which is shipped, has the same address and contents."
    ]


def test_where_no_row_is_left_to_ship_the_request_is_refused(house: House) -> None:
    path = house.folder / "nothing-left.csv"
    path.write_text(HEADER + ORDERS[2] + ORDERS[5], encoding="utf-8")
    refused = house.run("ship", str(path), "--skip-invalid", "--yes")
    assert refused.returncode == 1
    assert "E-2010: 2 of 2 rows cannot ship" in " ".join(refused.stderr.split())
