"""The real job database, its tables and transactions, in memory on one connection; between them anything may happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from services.coordinator.database.tables import metadata

P = ParamSpec("P")
T = TypeVar("T")

_SLOWEST = 0.01


@cache
def _engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    metadata.create_all(engine)
    return engine


class SimulatedDatabase:
    """What `services.coordinator.database.engine.Database` offers; empty when it is made, one at a time.

    `check` sees what every transaction leaves.
    """

    def __init__(self, chance: Random, check: Callable[[Connection], None]) -> None:
        self._chance = chance
        self._check = check
        with _engine().begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query`."""
        await self._moment()
        result = self.look(query, *args, **kwargs)
        await self._moment()
        return result

    async def write(self, command: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `command` in one transaction; whoever asked may die before or after it."""
        await self._moment()
        with _engine().begin() as connection:
            result = command(connection, *args, **kwargs)
            self._check(connection)
        await self._moment()
        return result

    def look(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query` without letting anybody else go first."""
        with _engine().connect() as connection:
            return query(connection, *args, **kwargs)

    async def _moment(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, _SLOWEST))
