"""A batch of orders, from the file and back, as a person ships it."""

import csv
import json
from decimal import Decimal
from pathlib import Path

from tests.integration.house import House, tracking_numbers


def test_a_file_ships_row_by_row_and_gets_its_numbers_back(house: House) -> None:
    path = house.orders("whole.csv", 30)
    before = path.read_text(encoding="utf-8").splitlines()
    done = house.run("ship", str(path), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert (job["status"], job["cursor"], job["rows"]["shipped"]) == ("completed", 30, 30)
    assert job["write_back"] == {"due": 0, "written": 30, "failed": 0, "removed": 0}
    after = path.read_text(encoding="utf-8").splitlines()
    assert all(new.startswith(old) for old, new in zip(before, after, strict=True))
    sold = {shipment["reference"]: shipment for shipment in house.shipments()}
    rows = house.json("rows", job["job_id"])
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in rows]
    assert all(sold[row["reference"]]["tracking_numbers"] == row["tracking_numbers"] for row in rows)
    assert Decimal(job["cost"]["amount"]) == sum(Decimal(row["cost"]["amount"]) for row in rows)
    assert Decimal(job["estimate"]["amount"]) == Decimal(job["cost"]["amount"])


def test_every_label_is_where_its_row_says(house: House) -> None:
    path = house.orders("labels.csv", 3, seed=2)
    job_id = house.submit(path)
    house.finished(job_id)
    for row in house.json("rows", job_id):
        label = house.data_dir / "labels" / row["label"]["key"]
        assert label.read_bytes().startswith(b"GIF8")
        assert label.stat().st_mode & 0o077 == 0


def test_a_condition_picks_the_rows_that_ship(house: House) -> None:
    path = house.orders("where.csv", 40, seed=3)
    with path.open(encoding="utf-8", newline="") as file:
        wanted = [row["state"] == "CA" and float(row["weight"]) < 20 for row in csv.DictReader(file)]
    job = house.json("ship", str(path), "--where", "state = 'CA' AND weight < 20", "--yes")
    assert 0 < job["rows"]["total"] == sum(wanted)
    assert [bool(number) for number in tracking_numbers(path)] == wanted


def test_a_preview_costs_every_row_and_buys_nothing(house: House) -> None:
    path = house.orders("preview.csv", 25, seed=4)
    sold = len(house.shipments())
    jobs = len(house.json("jobs"))
    preview = house.json("preview", str(path))
    assert (preview["total"], preview["to_ship"], preview["unrated"], len(preview["rows"])) == (25, 25, 0, 20)
    assert Decimal(preview["estimate"]["amount"]) > 0
    assert (len(house.shipments()), len(house.json("jobs"))) == (sold, jobs)


def test_what_was_shipped_before_is_skipped(house: House) -> None:
    path = house.orders("again.csv", 5, seed=5)
    house.finished(house.submit(path))
    bought = len(house.shipments())
    again = house.finished(house.submit(path))
    assert (again["status"], again["rows"]["skipped"]) == ("completed", 5)
    assert len(house.shipments()) == bought


def test_a_fresh_export_of_orders_shipped_before_is_skipped_by_its_contents(house: House) -> None:
    path = house.orders("export.csv", 5, seed=6)
    export = path.read_bytes()
    house.finished(house.submit(path))
    bought = len(house.shipments())
    path.write_bytes(export)
    assert house.finished(house.submit(path))["rows"]["skipped"] == 5
    assert len(house.shipments()) == bought


def test_a_preview_counts_what_earlier_jobs_shipped(house: House) -> None:
    path = house.orders("known.csv", 6, seed=11)
    export = path.read_bytes()
    house.finished(house.submit(path, "--where", "order_number < 'S11-0000004'"))
    path.write_bytes(export)
    preview = house.json("preview", str(path))
    assert (preview["total"], preview["to_ship"], preview["skipped"]) == (6, 3, 3)
    assert "Already shipped by job" in preview["rows"][0]["skipped"]


def test_a_corrected_row_submitted_again_is_not_bought_once_more_by_resuming_the_old_job(house: House) -> None:
    path = house.orders("corrected.csv", 3, seed=12)
    refusal = {"fault": "error", "status": 400, "code": "120207", "message": "The ship-to postal code is invalid."}
    with house.faults({"match": {"nth": 2}, **refusal}):
        failed = house.json("ship", str(path), "--mode", "auto")
    assert failed["status"] == "failed"
    text = path.read_text(encoding="utf-8")
    second = text.splitlines()[2]
    path.write_text(text.replace(second, second.replace(",1,", ",2,", 1).replace("S12-", "T12-")), encoding="utf-8")
    new = house.finished(house.submit(path))
    assert (new["rows"]["shipped"], new["rows"]["skipped"]) == (2, 1)
    bought = len(house.shipments())
    assert house.run("resume", failed["job_id"]).returncode == 0
    assert len(house.shipments()) == bought


def test_a_preview_waits_for_a_person_where_there_is_no_terminal(house: House) -> None:
    path = house.orders("confirm.csv", 3, seed=7)
    done = house.run("ship", str(path), "--json")
    assert done.returncode == 4
    job = json.loads(done.stdout)
    assert job["status"] == "awaiting_approval"
    assert house.run("approve", job["job_id"]).returncode == 0
    assert house.finished(job["job_id"])["rows"]["shipped"] == 3


def test_a_rejected_preview_ships_nothing(house: House) -> None:
    path = house.orders("rejected.csv", 3, seed=8)
    job = house.json("ship", str(path))
    assert house.run("reject", job["job_id"]).returncode == 0
    assert house.json("show", job["job_id"])["status"] == "cancelled"
    assert tracking_numbers_are_absent(path)


def test_one_service_for_the_whole_batch(house: House) -> None:
    path = house.orders("service.csv", 4, seed=9)
    job_id = house.submit(path, "--service", "Next Day Air")
    house.finished(job_id)
    assert {row["service"] for row in house.json("rows", job_id)} == {"next_day_air"}
    assert all(row["tracking_numbers"][0][8:10] == "01" for row in house.json("rows", job_id))


def test_a_mapping_of_ones_own(house: House) -> None:
    path = house.folder / "own.csv"
    path.write_text("Wer,Wo,Ort,Land,PLZ,Pfund\nÉmile Zola,1 Main St,Boston,MA,02110,2\n", encoding="utf-8")
    mapping = house.folder / "own.yaml"
    mapping.write_text(
        "fields:\n"
        "  recipient_name: '{{ row[\"Wer\"] }}'\n"
        "  address_1: '{{ Wo }}'\n"
        "  city: '{{ Ort }}'\n"
        "  state: '{{ Land }}'\n"
        "  postal_code: '{{ PLZ }}'\n"
        "  weight: '{{ Pfund }}'\n",
        encoding="utf-8",
    )
    job = house.json("ship", str(path), "--map", str(mapping), "--yes")
    assert job["status"] == "completed"
    assert house.json("rows", job["job_id"])[0]["recipient"] == "Émile Zola"


def tracking_numbers_are_absent(path: Path) -> bool:
    return "tracking_number" not in path.read_text(encoding="utf-8").splitlines()[0]
