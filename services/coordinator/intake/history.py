"""What earlier jobs shipped, as intake asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from services.coordinator.database import lineage, queries, similar
from services.coordinator.database.engine import Database
from services.coordinator.intake.duplicates import EarlierOrder
from shared.clock import Clock
from shared.contracts.documents import ShippedBefore

# Whoever is sent the same again after a fortnight has ordered it again.
_SAME_CONTENTS_WITHIN = timedelta(days=14)


class History:
    """Reads earlier jobs' shipments from the job database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def shipped_orders(self, keys: Sequence[str]) -> Mapping[str, ShippedBefore]:
        """Of the orders with these reservation keys, those that are shipped."""
        return await self._database.read(queries.shipped_orders, keys)

    async def similar_orders(self, marks: Sequence[tuple[str, str]]) -> Sequence[EarlierOrder]:
        """The orders of earlier jobs that are like some with these marks, and are shipped or on their way to it."""
        return await self._database.read(similar.similar_orders, marks, self._clock() - _SAME_CONTENTS_WITHIN)

    async def ancestors(self, restart_of: str | None) -> frozenset[str]:
        """The jobs whose shipped rows a restart of `restart_of` may ship again."""
        return await self._database.read(lineage.ancestors, restart_of)

    async def numbers_sold(self, restart_of: str) -> Mapping[str, ShippedBefore]:
        """Every tracking number that those jobs sold."""
        return await self._database.read(lineage.numbers_sold, restart_of)
