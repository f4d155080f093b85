"""A job database with a shop's orders in it, of each kind that a job database may be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.coordinator.database import migration
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow
from services.coordinator.database.step import Step
from services.writeback.targets.database import DatabaseTarget
from shared.contracts.commands import SourcePlace
from shared.sources.changes import changes_of
from shared.sources.rows import SourceRow
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import NOW, started
from tests.integration.shops import Shop, codes


@dataclass
class Books:
    """A job database, and the shop whose orders are in it."""

    database: Database
    shop: Shop
    url: str

    async def start(self, rows: Sequence[NewRow] | None = None) -> str:
        """A running job over the shop's table of orders."""
        batch = rows or [new_row(each) for each in self.shop.snapshot()]
        return await started(self.database, source=self.shop.source(), batch=batch)

    async def write_back(self, step: Step) -> list[str | None]:
        """What writeback makes of the command that a step left to it."""
        assert step.writeback is not None
        target = DatabaseTarget(self.shop.connections(), lambda: NOW)
        return codes(target.apply(step.writeback.source, changes_of(step.writeback)))


def new_row(each: SourceRow, *others: SourceRow) -> NewRow:
    places = tuple(SourcePlace(source_row=one.number, row_key=one.key, checksum=one.checksum) for one in others)
    return NewRow(each.number, each.key, each.checksum, f"print-{each.number}", SHIPMENT, others=places)


@asynccontextmanager
async def open_books(shop: Shop) -> AsyncIterator[Books]:
    """The books of a shop whose database gets the jobs' tables as well."""
    url = shop.url.set(drivername=shop.kind).render_as_string(hide_password=False)
    database = Database(url, {"shop": True})
    await migration.prepare(database)
    yield Books(database, shop, url)
    await database.close()
