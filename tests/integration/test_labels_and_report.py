"""`tally labels` and `tally report` in a whole house: what was bought, to print and to add up; nothing is bought."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import stat
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from services.sandbox.app import LEDGER_FILE
from tests.integration.house import House
from tests.integration.runbook import do_as_told

ABROAD = Path(__file__).parents[2] / "samples" / "international.csv"


@pytest.fixture(scope="module")
def job(house: House) -> dict[str, Any]:
    """A job of six shipped rows."""
    house.orders("six.csv", 6, seed=501)
    return house.json("ship", "six.csv", "--yes")


def pages(path: Path) -> list[Any]:
    return list(PdfReader(path).pages)


def size(page: Any) -> tuple[int, int]:
    return round(page.mediabox.width), round(page.mediabox.height)


def pictures(path: Path) -> list[bytes]:
    """The labels in a PDF, in order."""
    return [image.image.convert("L").tobytes() for page in pages(path) for image in page.images]


def stored(house: House, *rows: dict[str, Any]) -> list[bytes]:
    """What the label store has for rows, as much of it as is a label."""
    keys = [key for row in rows for key in (row["label"]["keys"] or [row["label"]["key"]])]
    files = [(house.data_dir / "labels" / key).read_bytes() for key in keys]
    return [Image.open(io.BytesIO(file)).convert("L").crop((0, 0, 1200, 800)).tobytes() for file in files]


def test_labels_are_one_pdf_in_the_sources_order_and_nothing_is_bought(house: House, job: dict[str, Any]) -> None:
    rows = house.json("rows", job["job_id"])
    sold = house.shipments()
    written = house.json("labels", job["job_id"], "-o", "labels.pdf")
    path = house.folder / "labels.pdf"
    assert (written["labels"], written["pages"], written["rows"]) == (6, 6, [1, 2, 3, 4, 5, 6])
    assert [size(page) for page in pages(path)] == [(288, 432)] * 6
    assert pictures(path) == stored(house, *rows)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    house.json("labels", job["job_id"], "-o", "letter.pdf", "--format", "letter")
    assert [size(page) for page in pages(house.folder / "letter.pdf")] == [(612, 792)] * 3
    assert pictures(house.folder / "letter.pdf") == stored(house, *rows)

    again = house.run("labels", job["job_id"], "-o", "again.pdf", "--row", "2", "--row", "5-6")
    assert again.returncode == 0
    assert again.stdout == f"3 labels of job {job['job_id']} written to again.pdf (3 pages).\n"
    assert pictures(house.folder / "again.pdf") == stored(house, rows[1], rows[4], rows[5])

    house.json("labels", job["job_id"], "-o", "files")
    files = sorted((house.folder / "files").iterdir())
    assert [file.name for file in files] == [row["label"]["key"].split("/")[1] for row in rows]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert house.shipments() == sold


def test_what_cannot_be_written_is_said_and_leaves_no_file(house: House, job: dict[str, Any]) -> None:
    job_id = job["job_id"]
    gif = house.run("labels", job_id, "-o", "labels.zpl", "--json")
    assert (gif.returncode, json.loads(gif.stdout)["error"]["code"]) == (1, "E-4052")
    key = house.json("show", job_id, "6")["label"]["key"]
    label = house.data_dir / "labels" / key
    shutil.move(label, label.with_suffix(".away"))
    with house.faults({"match": {"path": "/recovery"}, "fault": "error", "status": 400, "code": "300100"}):
        gone = house.run("labels", job_id, "-o", "gone.pdf")
    shutil.move(label.with_suffix(".away"), label)
    assert (gone.returncode, "E-4050" in gone.stderr, key in gone.stderr) == (1, True, True)
    assert not any((house.folder / name).exists() for name in ("labels.zpl", "gone.pdf"))


def test_labels_that_were_lost_come_back_from_their_copy_or_from_the_carrier(house: House, job: dict[str, Any]) -> None:
    do_as_told("Labels", "save", house.data_dir)
    house.orders("later.csv", 3, seed=503)
    later = house.json("ship", "later.csv", "--yes")["job_id"]
    house.json("labels", later, "-o", "before.pdf")
    sold, asked = house.shipments(), recoveries(house)
    shutil.rmtree(house.data_dir / "labels")
    do_as_told("Labels", "put back what is missing", house.data_dir)
    assert house.json("labels", job["job_id"], "-o", "copied.pdf")["labels"] == 6
    assert recoveries(house) == asked
    written = house.run("labels", later, "-o", "fetched.pdf")
    assert written.stdout == f"3 labels of job {later} written to fetched.pdf (3 pages).\n", written.stderr
    assert pictures(house.folder / "fetched.pdf") == pictures(house.folder / "before.pdf")
    assert recoveries(house) == asked + 3
    house.json("labels", later, "-o", "again.pdf")
    assert recoveries(house) == asked + 3
    assert house.shipments() == sold
    trail = house.run("audit", later).stdout
    assert trail.count("row label stored") == 3, trail


def recoveries(house: House) -> int:
    """How often the carrier was asked for a label again."""
    return sum(count for path, count in house.calls().items() if "recovery" in path)


def test_voided_rows_are_left_out_and_labels_that_are_due_are_named(house: House) -> None:
    house.orders("three.csv", 3, seed=502)
    job_id = house.json("ship", "three.csv")["job_id"]
    in_the_way = house.data_dir / "labels" / job_id
    in_the_way.write_text("not a folder")
    house.run("approve", job_id)
    assert house.finished(job_id)["rows"]["shipped"] == 3
    house.run("void", job_id, "1", "--yes")
    due = house.run("labels", job_id, "-o", "due.pdf")
    assert (due.returncode, (house.folder / "due.pdf").exists()) == (1, False)
    assert "Rows 2–3 are shipped, but the label is still to be fetched from the carrier; Row 1 is voided" in due.stderr
    in_the_way.unlink()
    written = house.eventually(
        lambda: house.json("labels", job_id, "-o", "due.pdf"), lambda written: written.get("rows") == [2, 3]
    )
    assert (written["due"], written["voided"], written["pages"]) == ([], [1], 2)
    voided = house.run("labels", job_id, "-o", "due.pdf", "--row", "1,3")
    assert voided.returncode == 1
    assert voided.stdout == f"1 label of job {job_id} written to due.pdf (1 page).\nRow 1: voided, left out.\n"


def test_invoices_follow_their_labels_or_are_left_out(house: House) -> None:
    shutil.copy(ABROAD, house.folder / "abroad.csv")
    job = house.json("ship", "abroad.csv", "--yes")
    written = house.json("labels", job["job_id"], "-o", "abroad.pdf")
    assert (written["labels"], written["invoices"], written["pages"]) == (6, 2, 8)
    label, letter = (288, 432), (612, 792)
    found = [size(page) for page in pages(house.folder / "abroad.pdf")]
    assert found == [label, label, label, label, letter, label, label, letter]
    house.json("labels", job["job_id"], "-o", "abroad")
    assert sum(file.name.endswith("-invoice.pdf") for file in (house.folder / "abroad").iterdir()) == 2


def test_a_report_adds_up_to_the_carriers_ledger(house: House, job: dict[str, Any]) -> None:
    rows = house.json("rows", job["job_id"])
    report = house.json("report", job["job_id"])
    with closing(sqlite3.connect(f"file:{house.data_dir / LEDGER_FILE}?mode=ro", uri=True)) as ledger:
        documents = [json.loads(document) for (document,) in ledger.execute("SELECT document FROM shipments")]
    references = {row["reference"] for row in rows}
    charged = [Decimal(sold["cost"]) for sold in documents if references & set(sold["references"])]
    costs = report["costs"]
    assert (len(charged), sum(cost["rows"] for cost in costs)) == (6, 6)
    assert sum(Decimal(cost["cost"]["amount"]) for cost in costs) == sum(charged)
    assert Decimal(report["job"]["cost"]["amount"]) == sum(charged)
    assert sum(Decimal(cost["estimate"]["amount"]) for cost in costs) == Decimal(job["estimate"]["amount"])
    # The sandbox's zones for parcels within the US.
    assert {cost["zone"] for cost in costs} <= {str(zone) for zone in range(2, 10)}
    assert (report["timed"], len(report["slowest"])) == (6, 6)

    shown = house.run("report", job["job_id"]).stdout
    assert f"6 rows: {sum(charged):,.2f} USD estimated, {sum(charged):,.2f} USD charged (+0.0 %)" in shown
    for name in ("report.xlsx", "report.csv", "report.html"):
        assert house.run("report", job["job_id"], "--out", name).returncode == 0
        assert stat.S_IMODE((house.folder / name).stat().st_mode) == 0o600
