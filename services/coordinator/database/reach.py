"""Whether the job database answers."""

from __future__ import annotations

from sqlalchemy import Connection, select

from services.coordinator.database.engine import Database


async def is_within_reach(database: Database) -> str | None:
    """None where the job database answers a query; raises what the driver raises where it does not."""
    await database.read(_ask)
    return None


def _ask(connection: Connection) -> None:
    connection.execute(select(1))
