"""Workbooks and Parquet files through a whole house: read, shipped, and their numbers where they belong."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import duckdb
import openpyxl

from tests.integration.house import House
from tests.unit.excel_files import active_sheet

NAMES = ["order_number", "name", "address_1", "city", "state", "zip", "weight", "service"]
ROWS: list[list[str | float]] = [
    ["1", "Ann Lee", "1 Main St", "Boston", "MA", 2110, 2, "Ground"],
    ["2", "Bo Díaz", "2 Main St", "Austin", "TX", 78701, 3.5, "Ground"],
    ["3", "Cy Young", "3 Main St", "Newark", "NJ", 7101, 1, "Ground"],
]


def workbook(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = active_sheet(book)
    sheet.title = "Orders"
    table: list[list[str | float]] = [["Orders of November"], [], [*NAMES], *ROWS]
    for row in table:
        sheet.append(row)
    book.create_sheet("Sums")["A1"] = "=COUNTA(Orders!I:I)"
    book.save(path)
    return path


def sold(house: House, job: str) -> list[str]:
    return [row["tracking_numbers"][0] for row in house.json("rows", job)]


def test_a_workbook_is_shipped_and_gets_its_numbers(house: House) -> None:
    path = workbook(house.folder / "november.xlsx")
    preview = house.json("preview", str(path))
    assert preview["source"]["sheet"] == "Orders"
    assert preview["to_ship"] == 3
    assert preview["notes"] == [
        "Read from sheet Orders, its header in row 3.",
        "Column zip has ZIP codes stored as numbers; leading zeros were restored in rows 4, 6.",
    ]
    assert "leading zeros were restored" in house.run("preview", str(path), "--sheet", "orders").stdout
    done = house.run("ship", str(path), "--yes", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    sheet = openpyxl.load_workbook(path)["Orders"]
    job = house.json("show", "last")
    assert job["write_back"] == {"due": 0, "written": 3, "failed": 0, "removed": 0}
    assert [cell.value for cell in sheet[3]][-2:] == ["tracking_number", "shipped_at"]
    assert [sheet.cell(row, 9).value for row in (4, 5, 6)] == sold(house, job["job_id"])
    assert [cell.value for cell in sheet[4]][:8] == ROWS[0]
    again = house.json("preview", str(path))
    assert (again["to_ship"], again["skipped"]) == (0, 3)


def test_a_signed_workbook_is_refused_before_anything_is_bought_and_shipped_with_a_file_beside_it(house: House) -> None:
    path = workbook(house.folder / "signed.xlsx")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("_xmlsignatures/sig1.xml", "<Signature/>")
    before, sold_before = path.read_bytes(), len(house.shipments())
    refused = house.run("ship", str(path), "--yes")
    assert refused.returncode == 1
    assert "E-1025" in refused.stderr
    assert "signed.tracking.csv" in refused.stderr
    assert len(house.shipments()) == sold_before
    assert "--sidecar" in refused.stderr
    done = house.run("ship", str(path), "--yes", "--sidecar", "--where", "state <> 'TX'")
    assert done.returncode == 0
    assert "signed.tracking.csv" in done.stdout
    verified = house.run("verify", "last").stdout
    assert "2 of 2 tracking numbers in" in verified
    assert "signed.tracking.csv" in verified
    assert path.read_bytes() == before
    with (house.folder / "signed.tracking.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["source"], line["row"], line["order_number"]) for line in lines] == [
        ("signed.xlsx#Orders", "1", "1"),
        ("signed.xlsx#Orders", "3", "3"),
    ]
    assert [line["tracking_number"] for line in lines] == sold(house, house.json("show", "last")["job_id"])


def test_a_parquet_file_is_shipped_with_a_file_beside_it(house: House) -> None:
    path = house.folder / "export.parquet"
    values = ", ".join(f"({', '.join(repr(str(value)) for value in row)})" for row in ROWS)
    duckdb.execute(f"COPY (SELECT * FROM (VALUES {values}) AS t({', '.join(NAMES)})) TO '{path}' (FORMAT parquet)")
    before = path.read_bytes()
    assert house.run("ship", str(path), "--yes", "--where", "zip = '78701'").returncode == 0
    assert path.read_bytes() == before
    with (house.folder / "export.tracking.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert [line["order_number"], line["tracking_number"]] == ["2", *sold(house, house.json("show", "last")["job_id"])]
