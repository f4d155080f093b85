"""What earlier jobs shipped, as intake asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.coordinator.database import lineage, queries
from services.coordinator.database.engine import Database
from shared.contracts.documents import ShippedBefore


class History:
    """Reads earlier jobs' shipments from the job database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def shipped_orders(self, keys: Sequence[str]) -> Mapping[str, ShippedBefore]:
        """Of the orders with these reservation keys, those that are shipped."""
        return await self._database.read(queries.shipped_orders, keys)

    async def ancestors(self, restart_of: str | None) -> frozenset[str]:
        """The jobs whose shipped rows a restart of `restart_of` may ship again."""
        return await self._database.read(lineage.ancestors, restart_of)

    async def numbers_sold(self, restart_of: str) -> Mapping[str, ShippedBefore]:
        """Every tracking number that those jobs sold."""
        return await self._database.read(lineage.numbers_sold, restart_of)
