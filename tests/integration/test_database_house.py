"""A batch of orders out of a table and back, as a person ships it; the connection is one of the house's settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import URL

from tests.integration.house import House, running_house
from tests.integration.shops import Shop, server_shop, sqlite_shop
from tests.samples import HEADERS, orders


@dataclass(frozen=True)
class ShopsHouse:
    """A house, and the shops that its connections lead to, by name."""

    house: House
    shops: dict[str, Shop]


@pytest.fixture(scope="module")
def shops_house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopsHouse]:
    folder = tmp_path_factory.mktemp("shops")
    shops = {
        "local": sqlite_shop(folder),
        "own": Shop("sqlite", URL.create("sqlite", database=f"{folder}/data/jobs.db")),
    }
    with suppress(pytest.skip.Exception):
        shops["server"] = server_shop(request.getfixturevalue("postgres_server"), "postgresql")
    urls = {f"TALLY_CONNECTIONS__{name.upper()}": shop.url.render_as_string(False) for name, shop in shops.items()}
    with running_house(folder, **urls) as house:
        yield ShopsHouse(house, shops)
    for shop in shops.values():
        shop.close()


def fill(shop: Shop, table: str, count: int, seed: int) -> None:
    """Make a table of orders; their order number is its key."""
    columns = ", ".join(f"{name} VARCHAR(100)" for name in HEADERS[1:])
    shop.execute(
        f"CREATE TABLE {table} (order_number VARCHAR(40) PRIMARY KEY, {columns}, tracking_number VARCHAR(64),"
        " shipped_at TIMESTAMP)"
    )
    rows = ", ".join(
        "(" + ", ".join("'" + order[name].replace("'", "''") + "'" for name in HEADERS) + ")"
        for order in orders(count, seed=seed)
    )
    shop.execute(f"INSERT INTO {table} ({', '.join(HEADERS)}) VALUES {rows}")


# `own` is the house's own job database: orders beside its tables.
@pytest.mark.parametrize("name", ["local", "server", "own"])
def test_a_table_ships_while_writeback_is_killed_and_every_number_gets_there(
    shops_house: ShopsHouse, name: str
) -> None:
    house = shops_house.house
    shop = shops_house.shops.get(name) or pytest.skip("there is no PostgreSQL server on this machine")
    fill(shop, "parcels", 50, seed=70 + len(name))
    done = house.run("ship", f"{name}.parcels", "--mode", "auto", "--detach", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    job_id = json.loads(done.stdout)["job_id"]
    with house.watching(job_id) as watch:
        watch.until_row(20)
        house.kill("writeback")
        watch.until_end()
    job = house.json("show", job_id)
    assert (job["status"], job["rows"]["shipped"], job["write_back"]["written"]) == ("completed", 50, 50)
    rows = house.json("rows", job_id)
    assert house.sold(job_id) == {row["reference"]: 1 for row in rows}
    numbers = shop.query("SELECT tracking_number FROM parcels ORDER BY order_number")
    assert [row[0] for row in numbers] == [row["tracking_numbers"][0] for row in rows]
    marks = [mark for mark in shop.marks() if mark[0] == job_id]
    assert [mark[4] for mark in marks] == [row["tracking_numbers"][0] for row in rows]


def test_what_a_table_says_was_shipped_is_skipped_and_what_is_voided_is_cleared(shops_house: ShopsHouse) -> None:
    house, shop = shops_house.house, shops_house.shops["local"]
    fill(shop, "few", 3, seed=80)
    first = house.json("ship", "local.few", "--yes")
    assert (first["status"], first["rows"]["shipped"]) == ("completed", 3)
    assert house.json("ship", "local.main.FEW", "--yes")["rows"]["skipped"] == 3
    assert house.run("void", first["job_id"], "2", "--yes").returncode == 0
    numbers = "SELECT tracking_number, shipped_at FROM few ORDER BY order_number"
    cleared = house.eventually(lambda: shop.query(numbers), lambda rows: rows[1][0] is None)
    assert [row[0] is None for row in cleared] == [False, True, False]
    assert cleared[1][1] is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nobody.orders",), "E-1040"),
        (("local.nowhere",), "E-1042"),
        (("db:local/parcels; DROP TABLE parcels",), "E-1042"),
        (("local.keyless",), "E-1043"),
        (("local.keyless", "--key", "city"), "E-1044"),
        (("local.keyless", "--key", "city) OR 1=1 --"), "E-1044"),
        (("local.untracked",), "E-1045"),
        (("local.viewed", "--key", "name"), "E-1046"),
    ],
)
def test_a_table_that_cannot_ship_is_refused_in_one_line(
    shops_house: ShopsHouse, arguments: tuple[str, ...], code: str
) -> None:
    house, shop = shops_house.house, shops_house.shops["local"]
    columns = "name TEXT, address_1 TEXT, city TEXT, state TEXT, zip TEXT, weight TEXT"
    shop.execute(
        f"CREATE TABLE IF NOT EXISTS keyless ({columns}, tracking_number TEXT, shipped_at TEXT)",
        f"CREATE TABLE IF NOT EXISTS untracked (id INTEGER PRIMARY KEY, {columns})",
        "DELETE FROM keyless",
        *["INSERT INTO keyless VALUES ('Ann Lee', '1 Main St', 'Boston', 'MA', '02110', '2', NULL, NULL)"] * 2,
        "CREATE VIEW IF NOT EXISTS viewed AS SELECT * FROM keyless",
    )
    sold = len(house.shipments())
    done = house.run("ship", *arguments, "--yes")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith(f"{code}: ")
    assert "Traceback" not in done.stderr
    assert len(house.shipments()) == sold


def test_a_view_of_the_orders_without_a_number_ships_and_verifies_though_it_is_empty_then(
    shops_house: ShopsHouse,
) -> None:
    house = shops_house.house
    shop = shops_house.shops.get("server") or pytest.skip("there is no PostgreSQL server on this machine")
    fill(shop, "boxes", 3, seed=91)
    shop.execute("CREATE VIEW open_boxes AS SELECT * FROM boxes WHERE tracking_number IS NULL")
    some = house.json(
        "ship", "server.open_boxes", "--key", "order_number", "--where", "order_number > 'S91-0000001'", "--yes"
    )
    rest = house.json("ship", "server.open_boxes", "--key", "order_number", "--yes")
    for job in (some, rest):
        assert (job["status"], job["write_back"]["failed"]) == ("completed", 0)
        found = house.json("verify", job["job_id"])
        assert (found["agrees"], found["matching"]) == (True, job["rows"]["shipped"])
    assert some["rows"]["shipped"] + rest["rows"]["shipped"] == 3
    assert None not in [row[0] for row in shop.query("SELECT tracking_number FROM boxes")]
