"""Previews of a house whose carrier is slow, busy or unwilling for some rows."""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.house import House, running_house
from tests.samples import HEADERS, orders

ROWS = 60
SLOW, BUSY, REFUSED = "Slow Poke", "Busy Bee", "No Body"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that rates for eight seconds, of whose orders the carrier is slow, busy and unwilling for one each."""
    with running_house(
        tmp_path_factory.mktemp("preview"), TALLY_PREVIEW_BUDGET="8", TALLY_CHECK_ADDRESSES="false"
    ) as house:
        with (house.folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADERS)
            writer.writeheader()
            for number, order in enumerate(orders(ROWS), start=1):
                named = {3: SLOW, 30: SLOW, 40: BUSY, 4: REFUSED}.get(number)
                writer.writerow(order | ({"name": named, "company": ""} if named else {}))
        rating = {"path": "/api/rating"}
        with house.faults(
            {"fault": "latency", "ms": 11_000, "match": rating | {"recipient": SLOW}},
            {"fault": "rate_limit", "match": rating | {"recipient": BUSY}},
            {"fault": "error", "status": 400, "code": "111210", "match": rating | {"recipient": REFUSED}},
        ):
            yield house


@pytest.fixture(scope="module")
def preview(house: House) -> dict[str, Any]:
    """Every row of its preview, as JSON; written to a file besides."""
    return house.json("preview", "orders.csv", "--all", "--out", "preview.csv")


def test_a_preview_says_which_rows_were_rated_and_which_are_estimated(preview: dict[str, Any]) -> None:
    assert [preview[name] for name in ("total", "to_ship", "rated", "estimated", "unrated")] == [60, 60, 56, 3, 1]
    assert [row["row_number"] for row in preview["rows"]] == list(range(1, ROWS + 1))
    assert {row["row_number"] for row in preview["rows"] if row["estimated"]} == {3, 30, 40}
    assert all(row["estimate"] for row in preview["rows"] if row["row_number"] != 4)
    assert preview["rows"][3]["error"]["code"].startswith("E-3")


def test_a_file_has_every_row_and_is_its_owners(house: House, preview: dict[str, Any]) -> None:
    path = house.folder / "preview.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Recipient"] for row in rows] == [row["recipient"] for row in preview["rows"]]
    assert {row["#"] for row in rows if row["Price"] == "estimated"} == {"3", "30", "40"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_never_takes_the_sources_place(house: House) -> None:
    before = (house.folder / "orders.csv").read_bytes()
    refused = house.run("preview", "orders.csv", "--out", str(house.folder / "orders.csv"))
    assert refused.returncode == 2
    assert "would overwrite the source" in " ".join(refused.stderr.split())
    assert (house.folder / "orders.csv").read_bytes() == before
    assert house.run("preview", "orders.csv", "--out", "preview.pdf").returncode == 2


def test_a_job_knows_what_of_its_estimate_was_rated(house: House, preview: dict[str, Any]) -> None:
    waiting = house.run("ship", "orders.csv")
    assert waiting.returncode == 4
    said = " ".join(waiting.stdout.split())
    total = f"{float(preview['estimate']['amount']):,.2f} USD"
    assert f"… and 40 more 60 rows to ship, {total}, of which 56 rows rated, 3 estimated, without the 1 row" in said
    assert "Row 4 has no price: E-3" in said
    (job,) = house.json("jobs")
    assert (job["rows"]["rated"], job["rows"]["estimated"]) == (56, 3)
    assert job["estimate"] == preview["estimate"]
    rows = house.json("rows", job["job_id"])
    assert {row["row_number"] for row in rows if row["estimated"]} == {3, 30, 40}
    shown = " ".join(house.run("show", job["job_id"]).stdout.split())
    assert f"estimate {total}, of which 56 rows rated, 3 estimated" in shown
