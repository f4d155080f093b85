"""Platforms' exports through a whole house: an order of several rows is one shipment, and every row gets its number."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.house import House, running_house

EXPORTS = Path(__file__).parents[2] / "samples" / "exports"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {"TALLY_DEFAULT_WEIGHT": "1.5", "TALLY_DEFAULT_SIZE": "12x9x4", "TALLY_DEFAULT_ORIGIN": "US"}
    with running_house(tmp_path_factory.mktemp("exports"), **settings) as house:
        yield house


def numbers(path: Path, column: str) -> dict[str, list[str]]:
    """The tracking numbers of each order, a number for each of its rows."""
    found: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row[column], []).append(row["tracking_number"])
    return found


def test_every_row_of_a_shopify_order_gets_the_one_number_and_voiding_clears_them_all(house: House) -> None:
    path = Path(shutil.copy(EXPORTS / "shopify.csv", house.folder / "shopify.csv"))
    before = path.read_text(encoding="utf-8").splitlines()
    found = house.json("inspect", "shopify.csv")
    assert (found["mapping"], found["picked"], found["order_column"]) == ("shopify", "headers", "Name")
    assert (found["rows"], found["total"], found["refused"], found["facts"]["encoding"]) == (7, 4, 0, "UTF-8")
    assert found["first"]["recipient"]["address"]["postal_code"] == "02143"
    preview = house.json("preview", "shopify.csv")
    assert (preview["mapping"], preview["total"]) == ("shopify", 4)
    job = house.json("ship", "shopify.csv", "--yes")
    assert (job["status"], job["rows"]["shipped"], job["write_back"]["written"]) == ("completed", 4, 4)
    shipped = {row["row_number"]: row["tracking_numbers"] for row in house.json("rows", job["job_id"])}
    assert list(numbers(path, "Name").values()) == [shipped[1] * 3, shipped[2], shipped[3] * 2, shipped[4]]
    after = path.read_text(encoding="utf-8").splitlines()
    assert [line.rsplit(",", 2)[0] for line in after] == before
    assert len(house.sold(job["job_id"])) == 4

    house.run("void", job["job_id"], "1", "--yes")
    house.eventually(lambda: numbers(path, "Name")["#1001"], lambda cleared: cleared == ["", "", ""])


def test_what_shopify_says_is_fulfilled_or_cancelled_is_left_out_unless_included(house: House) -> None:
    path = house.folder / "settled.csv"
    with (EXPORTS / "shopify.csv").open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    for row in rows:
        if row[0] == "#1002":
            row[columns.index("Fulfillment Status")] = "fulfilled"
        if row[0] == "#1004":
            row[columns.index("Cancelled at")] = "2026-11-20 10:00:00 -0600"
            row[columns.index("Shipping Zip")] = "no ZIP, which nobody asks of a cancelled order"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    settled = [
        {"reason": "fulfilled", "count": 1, "rows": [4]},
        {"reason": "cancelled", "count": 1, "rows": [7]},
    ]
    told = "2 orders are left out: 1 fulfilled (row 4), 1 cancelled (row 7); --include REASON ships them nevertheless."

    found = house.json("inspect", "settled.csv")
    assert (found["total"], found["refused"], found["settled"]) == (2, 0, settled)
    assert found["leaves_out_by"]["fulfilled"] == ["Fulfillment Status"]
    assert told in house.run("inspect", "settled.csv").stdout
    preview = house.json("preview", "settled.csv")
    assert (preview["total"], preview["to_ship"], preview["settled"]) == (2, 2, settled)
    assert told in house.run("preview", "settled.csv").stdout
    assert house.json("preview", "settled.csv", "--include", "fulfilled")["to_ship"] == 3

    shown = house.run("ship", "settled.csv", "--yes")
    assert shown.returncode == 0
    assert told in shown.stdout
    job = house.json("show", "last")
    assert (job["rows"]["shipped"], job["settled"]) == (2, settled)
    assert [row["source_row"] for row in house.json("rows", job["job_id"])] == [1, 5]
    assert told in house.run("show", "last").stdout
    written = numbers(path, "Name")
    assert [bool(written[name][0]) for name in ("#1001", "#1002", "#1003", "#1004")] == [True, False, True, False]

    included = house.json("ship", "settled.csv", "--yes", "--include", "fulfilled")
    assert (included["rows"]["shipped"], included["rows"]["skipped"]) == (1, 2)
    assert [orders["reason"] for orders in included["settled"]] == ["cancelled"]


def test_a_source_of_which_every_order_is_settled_is_refused_with_what_would_ship_it(house: House) -> None:
    text = (EXPORTS / "woocommerce.csv").read_text(encoding="utf-8").replace(";Processing;", ";Completed;")
    (house.folder / "done.csv").write_text(text, encoding="utf-8")
    refused = house.run("ship", "done.csv", "--yes")
    assert refused.returncode == 1
    assert "E-2015: No order of" in refused.stderr
    assert "left out are 2 fulfilled" in refused.stderr
    assert "--include fulfilled" in refused.stderr
    assert house.json("inspect", "done.csv")["settled"] == [{"reason": "fulfilled", "count": 2, "rows": [1, 2]}]
    unknown = house.run("preview", "done.csv", "--include", "shipped")
    assert "E-2020" in unknown.stderr
    assert "mapping woocommerce leaves out fulfilled, cancelled, refunded, failed" in unknown.stderr


def test_what_ebay_says_is_shipped_is_skipped(house: House) -> None:
    shutil.copy(EXPORTS / "ebay.csv", house.folder / "ebay.csv")
    job = house.json("ship", "ebay.csv", "--yes")
    assert (job["status"], job["rows"]["shipped"], job["rows"]["skipped"]) == ("completed", 2, 1)


def test_inspect_shows_every_row_that_would_be_refused_and_how_the_file_is_read(house: House) -> None:
    text = "name;street;ort;state;zip;weight\nAda;1 Way;Bath;ME;04530;2\nZoë;2 Way;Bath;ME;2134;2\nCy;;;CA;94107;x\n"
    (house.folder / "own.csv").write_bytes(text.encode("cp1252"))
    (house.folder / "own.yaml").write_text(
        "fields:\n  recipient_name: '{{ name }}'\n  address_1: '{{ street }}'\n  city: '{{ ort }}'\n"
        "  state: '{{ state }}'\n  postal_code: '{{ zip }}'\n  weight: '{{ weight }}'\n"
    )
    found = house.json("inspect", "own.csv", "--map", "own.yaml")
    assert (found["source"]["delimiter"], found["source"]["encoding"]) == (";", "cp1252")
    assert (found["total"], found["refused"], found["first_row"]) == (3, 2, 1)
    problems = [(problem["row"], problem["code"]) for problem in found["problems"]]
    assert problems == [(2, "E-2012"), (3, "E-2011"), (3, "E-2011"), (3, "E-2012")]
    shown = house.run("inspect", "own.csv", "--map", "own.yaml")
    assert shown.returncode == 0
    for part in ("Windows-1252", "semicolon", "1 ready to ship, 2 refused", "E-2012 (row 2)", "First shipment (row 1)"):
        assert part in shown.stdout
    generic = house.json("inspect", "own.csv")
    assert (generic["mapping"], generic["picked"], generic["error"]["code"]) == ("default", "generic", "E-2003")
    assert house.run("inspect", "none.csv").returncode == 1


def test_verify_finds_what_a_person_saved_over_and_writes_it_again(house: House) -> None:
    path = Path(shutil.copy(EXPORTS / "etsy.csv", house.folder / "etsy.csv"))
    job = house.json("ship", "etsy.csv", "--yes")["job_id"]
    shipped = path.read_bytes()
    found = house.run("verify", job, "--json")
    assert (found.returncode, json.loads(found.stdout)["matching"], json.loads(found.stdout)["rewritten"]) == (0, 2, 0)

    shutil.copy(EXPORTS / "etsy.csv", path)  # an older state, as an editor that was open saves it
    told = house.run("verify", job)
    assert told.returncode == 0
    assert "2 of 2 tracking numbers" in told.stdout
    assert "2 numbers lacked there" in told.stdout
    assert path.read_bytes() == shipped

    first, second = (row["tracking_numbers"][0] for row in house.json("rows", job))
    saved = (EXPORTS / "etsy.csv").read_text(encoding="utf-8-sig").replace("Lavender Soap", "Rose Soap")
    path.write_text(saved.replace('"SKU"\n', '"SKU",tracking_number\n').replace('""\n', '"","1ZSOMEBODYS"\n'))
    told = house.run("verify", job)
    assert told.returncode == 1
    assert "0 of 2 tracking numbers" in told.stdout
    assert f"has 1ZSOMEBODYS instead of {first}; nothing was overwritten" in " ".join(told.stdout.split())
    assert f"its number is {second}" in " ".join(told.stdout.split())
    assert path.read_text().count("1ZSOMEBODYS") == 3
    assert house.json("show", job)["status"] == "completed_with_warnings"

    path.unlink()
    assert house.run("verify", job).returncode == 1
    path.write_bytes(shipped)
    assert house.run("verify", job).returncode == 0
    assert house.json("show", job)["status"] == "completed"
