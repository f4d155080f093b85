"""Orders in the job database of a house whose coordinator dies time and again: both agree at every moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from tests.integration.house import House, running_house
from tests.integration.shops import Shop, server_shop
from tests.integration.test_database_house import fill

# Each coordinator dies in the transaction of some row, or behind it, before anything is published.
DEATHS = "coordinator.in_transaction=kill@30,coordinator.after_outcome_commit=kill@10"
ROWS = 25
DISAGREE = text(
    "SELECT rows.row_number, rows.status, rows.write_back, parcels.tracking_number FROM rows"
    " JOIN parcels ON parcels.order_number = rows.row_key"
    " WHERE (rows.status = 'shipped' AND rows.write_back = 'written') <> (parcels.tracking_number IS NOT NULL)"
)
NUMBERS = "SELECT tracking_number FROM {} ORDER BY order_number"


KINDS = ["sqlite", "postgresql"]


@dataclass(frozen=True)
class OwnHouse:
    """A house, and the shop that is in its job database."""

    house: House
    shop: Shop

    def ship(self, table: str) -> str:
        """Have a table shipped without waiting for its end; the job's id."""
        done = self.house.run("ship", f"own.{table}", "--mode", "auto", "--detach", "--json")
        job = json.loads(done.stdout)
        # One that ends at once may have failed before it is told.
        assert done.returncode == (job["status"] == "failed"), done.stdout + done.stderr
        return job["job_id"]


@contextmanager
def opened(request: pytest.FixtureRequest, kind: str, folder: Path, **settings: str) -> Iterator[OwnHouse]:
    """A house whose job database is of `kind`, with a shop in it."""
    if kind == "sqlite":
        shop = Shop(kind, URL.create("sqlite", database=f"{folder}/data/jobs.db"))
    else:
        shop = server_shop(request.getfixturevalue("postgres_server"), kind)
        settings["TALLY_DATABASE_URL"] = shop.url.set(drivername="postgresql").render_as_string(False)
    with running_house(folder, TALLY_CONNECTIONS__OWN=shop.url.render_as_string(False), **settings) as house:
        yield OwnHouse(house, shop)
    shop.close()


@pytest.fixture(scope="module", params=KINDS)
def own_house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnHouse]:
    with opened(request, request.param, tmp_path_factory.mktemp("own")) as own:
        yield own


@dataclass
class Onlooker:
    """Looks at jobs and orders in one glance, over and over, for what does not agree."""

    url: URL
    glances: int = 0
    seen: list[object] = field(default_factory=list)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look until the block ends."""
        over = threading.Event()
        looking = threading.Thread(target=self._look, args=(over,))
        looking.start()
        try:
            yield
        finally:
            over.set()
            looking.join()

    def _look(self, over: threading.Event) -> None:
        engine = create_engine(self.url)
        while not over.wait(0.01):
            with engine.connect() as connection:
                self.seen += connection.execute(DISAGREE).all()
            self.glances += 1
        engine.dispose()


# As long as a server may take to come; conftest.py gives it to those whose fixtures say that they need one.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_a_sale_and_its_number_are_seen_together_through_every_death(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    with opened(request, kind, tmp_path, TALLY_FAILPOINTS=DEATHS) as own:
        house, shop = own.house, own.shop
        fill(shop, "parcels", ROWS, seed=90)
        first = house.pid("coordinator")
        onlooker = Onlooker(shop.url)
        with onlooker.looking():
            job_id = own.ship("parcels")
            # Nobody answers while the coordinator is dead; its database can be asked all the same.
            status = f"SELECT status FROM jobs WHERE job_id = '{job_id}'"
            house.eventually(lambda: shop.query(status), lambda found: found[0][0] not in {"pending", "running"})
        assert (onlooker.seen, onlooker.glances > ROWS) == ([], True)
        job = house.eventually(lambda: house.json("show", job_id), lambda job: "rows" in job)
        assert house.pid("coordinator") != first
        counts = (job["status"], job["rows"]["shipped"], job["write_back"]["written"])
        assert counts == ("completed", ROWS, ROWS)
        rows = house.json("rows", job_id)
        assert house.sold(job_id) == {row["reference"]: 1 for row in rows}
        numbers = [row["tracking_numbers"][0] for row in rows]
        assert [row[0] for row in shop.query(NUMBERS.format("parcels"))] == numbers
        assert [mark[4] for mark in shop.marks()] == numbers
        written = shop.query("SELECT actor FROM audit WHERE action = 'write_back.written'")
        assert [row[0] for row in written] == ["coordinator"] * ROWS


def test_a_void_clears_and_another_number_is_a_conflict_that_writeback_reports(own_house: OwnHouse) -> None:
    house, shop = own_house.house, own_house.shop
    fill(shop, "few", 3, seed=91)
    job = house.finished(own_house.ship("few"))
    assert (job["status"], job["write_back"]["written"]) == ("completed", 3)
    shop.execute("UPDATE few SET tracking_number = '1ZOTHER' WHERE order_number = (SELECT min(order_number) FROM few)")
    for row in ("1", "2"):
        assert house.run("void", job["job_id"], row, "--yes").returncode == 0
    rows = house.eventually(
        lambda: house.json("rows", job["job_id"]),
        lambda rows: [row["write_back"]["status"] for row in rows[:2]] == ["failed", "written"],
    )
    assert [row["status"] for row in rows] == ["voided", "voided", "shipped"]
    assert rows[0]["write_back"]["error"]["code"] == "E-4012"
    assert [row[0] for row in shop.query(NUMBERS.format("few"))] == ["1ZOTHER", None, rows[2]["tracking_numbers"][0]]


def test_a_table_that_is_dropped_in_the_middle_of_a_job_stops_no_sale(own_house: OwnHouse) -> None:
    house, shop = own_house.house, own_house.shop
    fill(shop, "doomed", 6, seed=92)
    refusal = {"fault": "error", "status": 400, "code": "120207", "message": "The ship-to postal code is invalid."}
    with house.faults({"match": {"path": "/ship", "nth": 3}, **refusal}):
        job_id = own_house.ship("doomed")
        with house.watching(job_id) as watch:
            watch.until_end()
    shop.execute("DROP TABLE doomed")
    assert house.run("resume", job_id).returncode == 0
    job = house.json("show", job_id)
    assert (job["status"], job["rows"]["shipped"]) == ("completed_with_warnings", 6)
    assert job["write_back"]["failed"] == 6
    errors = {row["write_back"]["error"]["code"] for row in house.json("rows", job_id)}
    assert errors == {"E-4011"}
