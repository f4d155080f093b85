"""What earlier jobs shipped, as intake asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from services.coordinator.database import lineage, queries, similar
from services.coordinator.database.engine import Database
from services.coordinator.intake.duplicates import SimilarOrders
from shared.clock import Clock
from shared.contracts.documents import ShippedBefore

# Whoever is sent the same again after a fortnight has ordered it again.
_SAME_CONTENTS_WITHIN = timedelta(days=14)


class EarlierOrders(NamedTuple):
    """Those that are shipped, by reservation key, and those shipped or on their way to it that others are like."""

    shipped: Mapping[str, ShippedBefore]
    similar: SimilarOrders


class History:
    """Reads earlier jobs' shipments from the job database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def earlier_orders(self, keys: Sequence[str], marks: Sequence[tuple[str, str]]) -> EarlierOrders:
        """Of earlier jobs' orders those with these reservation keys, and those with these marks."""
        return await self._database.read(_earlier_orders, keys, marks, self._clock() - _SAME_CONTENTS_WITHIN)

    async def ancestors(self, restart_of: str | None) -> frozenset[str]:
        """The jobs whose shipped rows a restart of `restart_of` may ship again."""
        return await self._database.read(lineage.ancestors, restart_of)

    async def numbers_sold(self, restart_of: str) -> Mapping[str, ShippedBefore]:
        """Every tracking number that those jobs sold."""
        return await self._database.read(lineage.numbers_sold, restart_of)


def _earlier_orders(
    connection: Connection, keys: Sequence[str], marks: Sequence[tuple[str, str]], since: datetime
) -> EarlierOrders:
    return EarlierOrders(
        queries.shipped_orders(connection, keys), similar.similar_orders(connection, marks, contents_since=since)
    )
