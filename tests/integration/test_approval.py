"""Approving: good for what the person saw, asked for again where the source or the rates changed since."""

import csv
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from services.coordinator.database import approving, intake, previewing, queries, steps
from services.coordinator.database.engine import Database
from services.coordinator.database.tables import audit
from services.coordinator.identity import job_id_for, request_hash
from services.coordinator.intake.batch import IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.intake import Intake
from services.coordinator.mapping.shipment import Defaults, Senders
from services.coordinator.preview.approval import Approval
from services.coordinator.pricing.estimate import Heard
from services.coordinator.pricing.price import Price
from services.coordinator.running.progress import Progress
from shared.contracts.api import ApproveJob
from shared.contracts.rates import Quote
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobStatus
from shared.errors import BUS_TIMEOUT, ErrorBody, TallyError
from shared.shipping import Money, Shipment
from shared.sources.database_connection import Connections
from tests.contract.messages import SHIPMENT
from tests.integration.house import House, tracking_numbers
from tests.integration.job_steps import INSTALLATION, ISSUE, NOW
from tests.samples import write_orders

EXPORTS = Path(__file__).parents[2] / "samples" / "exports"


def dollars(amount: str) -> Money:
    return Money(amount=Decimal(amount))


def edit(path: Path, row: int, **values: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row - 1] |= values
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


class Prices:
    """Quotes every shipment the same, or none where the carrier is away."""

    def __init__(self, price: str) -> None:
        self.price = price

    budget = 1.0

    async def rate(self, shipments: Mapping[str, Shipment], heard: Heard, **_: object) -> ErrorBody | None:
        if self.price == "dies":
            raise ConnectionError("the coordinator dies")
        away = TallyError(BUS_TIMEOUT, service="shipper", subject="rates", seconds=1).body
        quote = Quote(cost=dollars(self.price)) if self.price else Quote(error=away)
        await heard(dict.fromkeys(shipments, quote))
        return None


class Desk:
    """A job of three rows at 10.00 each that awaits approval, and the approval of it at a time of one's own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.path = folder / "orders.csv"
        self.prices = Prices("10.00")
        self.now = NOW
        settings = IntakeSettings(
            (folder,), Connections({}), Senders(SHIPMENT.ship_from), Defaults(Decimal("1.5")), 1000
        )
        self.intake = Intake(settings, History(database, lambda: self.now))
        self.approval = Approval(
            database,
            self.intake,
            cast("Any", self.prices),
            cast("Progress", self),
            lambda: self.now,
            timedelta(minutes=15),
        )

    async def preview(self, **options: Any) -> str:
        if not self.path.exists():
            write_orders(self.path, 3)
        request = JobRequest(request_id="orders", source=CsvSource(path=str(self.path)), **options)
        job_id = job_id_for(INSTALLATION, "orders")
        write = self.database.write
        await write(intake.admit, job_id, request, request_hash(request), NOW)
        async with self.intake.open(request) as batch:
            await write(intake.begin_intake, job_id, "intake", batch.source, NOW)
            rows = [row async for page in batch.rows() for row in page]
            await write(intake.add_rows, job_id, "intake", INSTALLATION, 1, rows, NOW)
        await write(intake.finish_intake, job_id, "intake", 3, "mapping", NOW)
        await write(previewing.note_prices, job_id, "intake", [(n, Price(dollars("10.00"))) for n in (1, 2, 3)], NOW)
        await write(intake.await_approval, job_id, "intake", NOW)
        return job_id

    async def approve(self, job_id: str, seen: str | None = "30.00") -> JobStatus:
        estimate = None if seen is None else dollars(seen)
        await self.approval.approve(ApproveJob(job_id=job_id, by="ann", estimate=estimate))
        return (await self.database.read(queries.show_job, job_id)).status

    async def trail(self, job_id: str) -> list[tuple[str, str, dict[str, Any]]]:
        chosen = select(audit.c.action, audit.c.actor, audit.c.detail).where(audit.c.job_id == job_id)
        return await self.database.read(
            lambda link: [tuple(found) for found in link.execute(chosen.order_by(audit.c.seq))]
        )

    # What `Approval` needs of `Progress`.

    async def commit(self, command: Any, *arguments: Any) -> None:
        await self.database.write(command, *arguments)

    def issue(self) -> Any:
        return ISSUE


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path)


async def test_the_trail_names_who_approved_and_what_total_they_saw(desk: Desk) -> None:
    job_id = await desk.preview()
    assert await desk.approve(job_id) is JobStatus.RUNNING
    seen = {"seen": "30.00 USD", "estimate": "30.00 USD"}
    assert ("job.approved", "ann", seen) in await desk.trail(job_id)


async def test_another_total_than_the_one_that_was_seen_is_refused_and_the_new_one_holds(desk: Desk) -> None:
    job_id = await desk.preview()
    with pytest.raises(TallyError, match=r"E-4031: The rows cost 30.00 USD by the present rates, not 29.00 USD\."):
        await desk.approve(job_id, "29.00")
    assert await desk.approve(job_id, "30.00") is JobStatus.RUNNING


async def test_rates_that_are_old_are_asked_for_anew(desk: Desk) -> None:
    job_id = await desk.preview()
    desk.prices.price, desk.now = "11.50", NOW + timedelta(minutes=16)
    with pytest.raises(TallyError, match=r"E-4031: The rows cost 34.50 USD by the present rates, not 30.00 USD\."):
        await desk.approve(job_id)
    assert await desk.approve(job_id, "34.50") is JobStatus.RUNNING
    (repriced,) = [detail for action, _, detail in await desk.trail(job_id) if action == "job.repriced"]
    assert repriced == {"was": "30.00 USD", "estimate": "34.50 USD"}


@pytest.mark.parametrize(("price", "later"), [("11.50", 14), ("10.00", 16), ("", 16)])
async def test_rates_that_are_fresh_or_the_same_or_not_to_be_had_are_approved(
    desk: Desk, price: str, later: int
) -> None:
    job_id = await desk.preview()
    desk.prices.price, desk.now = price, NOW + timedelta(minutes=later)
    assert await desk.approve(job_id) is JobStatus.RUNNING


async def test_a_client_that_names_no_total_is_not_held_to_one(desk: Desk) -> None:
    job_id = await desk.preview()
    edit(desk.path, 2, city="Elsewhere")
    desk.prices.price, desk.now = "11.50", NOW + timedelta(days=1)
    assert await desk.approve(job_id, None) is JobStatus.RUNNING


async def test_a_source_that_changed_is_told_once_and_each_further_change_again(desk: Desk) -> None:
    job_id = await desk.preview()
    edit(desk.path, 2, city="Elsewhere")
    changed = (
        r"E-4030: .*orders.csv changed since it was read: 1 order is not as it was read and 1 order is new or edited"
    )
    with pytest.raises(TallyError, match=changed):
        await desk.approve(job_id)
    edit(desk.path, 3, city="Elsewhere")
    with pytest.raises(TallyError, match=r"E-4030: .*2 orders are not as they were read"):
        await desk.approve(job_id)
    assert await desk.approve(job_id) is JobStatus.RUNNING


async def test_orders_that_are_left_out_are_no_change(desk: Desk) -> None:
    write_orders(desk.path, 4)
    edit(desk.path, 2, zip="none")
    job_id = await desk.preview(skip_invalid=True)
    assert await desk.approve(job_id) is JobStatus.RUNNING


async def test_orders_that_their_platform_says_are_fulfilled_are_no_change(desk: Desk) -> None:
    with (EXPORTS / "shopify.csv").open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    for row in rows:
        if row[0] == "#1002":
            row[columns.index("Fulfillment Status")] = "fulfilled"
    with desk.path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    job_id = await desk.preview(skip_invalid=True)
    assert await desk.approve(job_id) is JobStatus.RUNNING


async def test_a_source_that_is_gone_is_told_once(desk: Desk) -> None:
    job_id = await desk.preview()
    desk.path.unlink()
    with pytest.raises(TallyError, match=r"E-4030: .*it cannot be read as it was \(E-1001\)"):
        await desk.approve(job_id)
    assert await desk.approve(job_id) is JobStatus.RUNNING


async def test_a_source_and_rates_that_both_changed_are_told_together(desk: Desk) -> None:
    job_id = await desk.preview()
    edit(desk.path, 1, city="Elsewhere")
    with pytest.raises(TallyError, match="E-4030") as refused:
        await desk.approve(job_id, "29.00")
    assert [detail.code for detail in refused.value.body.details] == ["E-4031"]


async def test_a_change_that_was_not_told_for_its_coordinator_died_in_rating_is_told_by_the_next_approval(
    desk: Desk,
) -> None:
    job_id = await desk.preview()
    edit(desk.path, 2, city="Elsewhere")
    desk.prices.price, desk.now = "dies", NOW + timedelta(minutes=16)
    with pytest.raises(ConnectionError):
        await desk.approve(job_id)
    desk.prices.price = "10.00"
    with pytest.raises(TallyError, match="E-4030"):
        await desk.approve(job_id)


async def test_two_approvals_start_a_job_once(desk: Desk) -> None:
    job_id = await desk.preview()
    await desk.approve(job_id)
    with pytest.raises(TallyError, match="E-4005"):
        await desk.approve(job_id)


async def test_a_total_that_changed_while_the_source_was_read_is_refused_by_the_same_transaction(desk: Desk) -> None:
    job_id = await desk.preview()
    await desk.database.write(approving.reprice, job_id, [(1, dollars("12.00"))], NOW)
    with pytest.raises(TallyError, match="E-4031"):
        await desk.database.write(steps.approve, job_id, "ann", datetime.now(NOW.tzinfo), ISSUE, dollars("30.00"))


def test_what_was_previewed_ships_though_the_file_changed_since(house: House) -> None:
    path = house.orders("changed.csv", 3, seed=4001)
    job = house.json("ship", str(path))
    assert job["status"] == "awaiting_approval"
    city = house.json("show", job["job_id"], "2")["destination"]
    edit(path, 2, city="Elsewhere")
    refused = house.run("approve", job["job_id"])
    assert refused.returncode == 4
    assert "E-4030" in refused.stderr
    assert house.run("approve", job["job_id"]).returncode == 0
    assert house.finished(job["job_id"])["rows"]["shipped"] == 3
    assert house.json("show", job["job_id"], "2")["destination"] == city
    assert [bool(number) for number in tracking_numbers(path)] == [True, False, True]


def test_a_refused_approval_is_an_error_document_in_json(house: House) -> None:
    path = house.orders("changed-json.csv", 3, seed=4002)
    job_id = house.json("ship", str(path))["job_id"]
    edit(path, 1, name="Somebody Else")
    refused = house.run("approve", job_id, "--json")
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (4, "E-4030")
    assert house.run("reject", job_id).returncode == 0
