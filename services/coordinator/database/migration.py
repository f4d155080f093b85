"""Brings the job database's schema up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, select, text

from services.coordinator.database.engine import Database
from services.coordinator.database.tables import installation
from services.coordinator.identity import new_installation

_ADVISORY_LOCK = 7_483_512


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the migrations up to `revision`; coordinators that start together take turns."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Run the migrations down to `revision`."""
    command.downgrade(_config(connection), revision)


def installation_id(connection: Connection) -> str:
    """The id of this installation, made on the first start."""
    found = connection.scalar(select(installation.c.installation_id))
    if found is None:
        found = new_installation()
        connection.execute(insert(installation), {"installation_id": found})
    return str(found)


async def migrate(database: Database) -> str:
    """Bring the schema up to date and return the installation's id."""
    await database.write(upgrade)
    return await database.write(installation_id)
