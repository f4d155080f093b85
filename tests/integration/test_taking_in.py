"""A source's rows on their way into the job database, a page stored while the next one is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.coordinator.database import intake as admission
from services.coordinator.database.engine import Database
from services.coordinator.database.tables import rows
from services.coordinator.identity import job_id_for, request_hash
from services.coordinator.intake.batch import IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.intake import Intake
from services.coordinator.intake.judges import Judges
from services.coordinator.intake.taking_in import LONG_FROM, TakingIn
from services.coordinator.intake.turns import IntakeTurn, IntakeTurns
from services.coordinator.mapping.shipment import Defaults, Senders
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.errors import TallyError
from shared.sources.database_connection import Connections
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import INSTALLATION, NOW

ROWS = LONG_FROM + 1200
HEADER = "order_number,name,address_1,city,state,zip,weight\n"
GOOD = "A-{0},Ann Lee,{0} Main St,Boston,MA,02110,2\n"
BAD = "B-{0},Bo Diaz,{0} Elm St,Boston,MA,,2\n"


class Interrupted(IntakeTurn):
    """A turn of an intake that something happens to when it has become long."""

    def __init__(self, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(IntakeTurns())
        self._happens = happens

    async def becomes_long(self, going_on: Callable[[], Awaitable[object]]) -> None:
        await super().becomes_long(going_on)
        await self._happens()


async def take_in(database: Database, path: Path, turn: IntakeTurn) -> tuple[str, int]:
    """Take a file in; its job, and how many rows are stored."""
    settings = IntakeSettings((path.parent,), Connections({}), Senders(SHIPMENT.ship_from), Defaults(), 100_000)
    intake = Intake(settings, History(database, lambda: NOW))
    taking_in = TakingIn(INSTALLATION, database, intake, Judges(0), lambda: NOW)
    request = JobRequest(request_id="orders", source=CsvSource(path=str(path)))
    job_id = job_id_for(INSTALLATION, request.request_id)
    await database.write(admission.admit, job_id, request, request_hash(request), NOW)
    return job_id, await taking_in.take_in(job_id, "intake", request, turn)


async def stored(database: Database) -> int:
    count = select(func.count()).select_from(rows)
    return await database.read(lambda link: link.execute(count).scalar_one())


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "".join(map(GOOD.format, range(1, ROWS + 1))), encoding="utf-8")
    return path


async def test_every_row_is_stored_once_and_in_the_order_of_the_source(database: Database, orders: Path) -> None:
    with IntakeTurns().begin() as turn:
        job_id, count = await take_in(database, orders, turn)
    chosen = select(rows.c.row_number, rows.c.source_row, rows.c.recipient).where(rows.c.job_id == job_id)
    found = await database.read(lambda link: link.execute(chosen.order_by(rows.c.row_number)).all())
    assert count == ROWS
    assert [tuple(row) for row in found] == [(number, number, "Ann Lee") for number in range(1, ROWS + 1)]


async def test_an_intake_that_another_one_replaced_ends_with_all_its_tasks(database: Database, orders: Path) -> None:
    job_id = job_id_for(INSTALLATION, "orders")

    async def replace() -> None:
        await database.write(admission.begin_intake, job_id, "another", CsvSource(path=str(orders)), NOW)

    before = asyncio.all_tasks()
    with pytest.raises(admission.SupersededError):
        await take_in(database, orders, Interrupted(replace))
    assert asyncio.all_tasks() == before
    assert await stored(database) == 0


async def test_a_cancelled_intake_ends_with_all_its_tasks(database: Database, orders: Path) -> None:
    before = asyncio.all_tasks()

    async def cancel() -> None:
        (task,) = [task for task in asyncio.all_tasks() - before if task.get_name() == "intake"]
        task.cancel()
        await asyncio.sleep(0)

    task = asyncio.create_task(take_in(database, orders, Interrupted(cancel)), name="intake")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before


async def test_a_row_that_cannot_ship_in_a_later_page_refuses_the_whole_source(
    database: Database, orders: Path
) -> None:
    with orders.open("a", encoding="utf-8") as file:
        file.write(BAD.format(ROWS + 1))
    with pytest.raises(TallyError) as caught, IntakeTurns().begin() as turn:
        await take_in(database, orders, turn)
    assert caught.value.body.code == "E-2010"
