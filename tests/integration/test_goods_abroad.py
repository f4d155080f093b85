"""Several parcels, and goods abroad, through a whole house: every label, the invoice, the number in the source."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.house import House, running_house, tracking_numbers

SAMPLE = Path(__file__).parents[2] / "samples" / "international.csv"
RENO = {
    "name": "Warehouse West",
    "phone": "7755550100",
    "address": {"lines": ["2 Dock Rd"], "city": "Reno", "state": "NV", "postal_code": "89501"},
}
MAPPING = """\
group_by: order
packages: rows
customs: rows
fields:
  recipient_name: '{{ name }}'
  address_1: '{{ street }}'
  city: '{{ city }}'
  state: '{{ state }}'
  postal_code: '{{ zip }}'
  country: '{{ country }}'
  phone: '613 555 0123'
  weight: '{{ weight }}'
  ship_from: '{{ place }}'
  order_number: '{{ order }}'
  customs_description: '{{ item }}'
  customs_quantity: '1'
  customs_value: '{{ price }}'
  customs_origin: US
"""
ROWS = """\
order,name,street,city,state,zip,country,weight,place,item,price
A-1,Ann Lee,7 Elm St,Amherst,MA,01002,US,3,Reno,Vase,30
A-1,,,,,,,5.5,,Plinth,20
A-2,Bo Roy,80 Wellington St,Ottawa,ON,K1A 0A2,CA,4,,Vase,30
A-2,,,,,,,,,Lamp,45
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    settings = {"TALLY_WAREHOUSES": json.dumps({"reno": RENO})}
    with running_house(tmp_path_factory.mktemp("abroad"), **settings) as house:
        yield house


def label_files(house: House, row: dict[str, Any]) -> list[bytes]:
    """The content of a row's labels, in the order of its parcels."""
    return [(house.data_dir / "labels" / key).read_bytes() for key in row["label"]["keys"]]


def test_every_parcel_has_its_label_and_goods_abroad_their_invoice(house: House) -> None:
    path = Path(shutil.copy(SAMPLE, house.folder / "international.csv"))
    found = house.json("inspect", "international.csv")
    assert (found["total"], found["refused"], found["problems"]) == (3, 0, [])
    preview = house.json("preview", "international.csv")
    job = house.json("ship", "international.csv", "--yes")
    assert (job["status"], job["rows"]["shipped"], job["write_back"]["written"]) == ("completed", 3, 3)
    assert preview["estimate"] == job["cost"]

    rows = house.json("rows", job["job_id"])
    assert [len(row["tracking_numbers"]) for row in rows] == [3, 1, 2]
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in rows]
    sold = {shipment["reference"]: shipment for shipment in house.shipments()}
    for row in rows:
        assert sold[row["reference"]]["tracking_numbers"] == row["tracking_numbers"]
        labels = label_files(house, row)
        assert len(labels) == len(set(labels)) == len(row["tracking_numbers"])
        assert all(label.startswith(b"GIF8") for label in labels)
    assert rows[0]["label"]["invoice"] is None
    told = {2: (b"3 x Hardback books", b"2 x Stoneware mugs"), 3: (b"4 x Steel hand planes",)}
    for row in rows[1:]:
        invoice = (house.data_dir / "labels" / row["label"]["invoice"]).read_bytes()
        assert invoice.startswith(b"%PDF")
        assert all(goods in invoice for goods in told[row["row_number"]])

    house.run("void", job["job_id"], "1", "--yes")
    house.eventually(lambda: tracking_numbers(path)[0], lambda number: number == "")
    given_back = next(each for each in house.shipments() if each["reference"] == rows[0]["reference"])
    assert given_back["voided"]


def test_rows_that_are_parcels_or_goods_are_one_shipment_that_is_found_again_whole(house: House) -> None:
    path = house.folder / "rows.csv"
    path.write_text(ROWS)
    (house.folder / "rows.yaml").write_text(MAPPING)
    lost = {"fault": "drop_after_commit", "match": {"path": "/api/shipments/v2409/ship"}}
    with house.faults(lost):
        job = house.json("ship", "rows.csv", "--map", "rows.yaml", "--yes")
    assert (job["status"], job["rows"]["shipped"]) == ("completed", 2)
    vases, lamps = house.json("rows", job["job_id"])
    assert [len(row["tracking_numbers"]) for row in (vases, lamps)] == [2, 1]
    assert [len(label_files(house, row)) for row in (vases, lamps)] == [2, 1]
    # The answers were lost, and the carrier gives an invoice only once.
    assert (vases["label"]["invoice"], lamps["label"]["invoice"]) == (None, None)
    assert (vases["warnings"], [warning["code"] for warning in lamps["warnings"]]) == ([], ["invoice_missing"])
    first, second = vases["tracking_numbers"][0], lamps["tracking_numbers"][0]
    assert tracking_numbers(path) == [first, first, second, second]
    assert set(house.sold(job["job_id"]).values()) == {1}
