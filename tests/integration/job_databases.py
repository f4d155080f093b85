"""Job databases of both kinds for tests, each test's its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy import URL

from services.coordinator.database import migration
from services.coordinator.database.engine import Database
from tests.integration.database_server import Server


def asynchronous(url: URL) -> str:
    """The URL as a job database's is given."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@dataclass
class JobDatabases:
    """Job databases on a PostgreSQL server, copied from one whose schema is current."""

    server: Server
    template: str
    made: list[str] = field(default_factory=list)

    def make(self, *, empty: bool = False) -> str:
        """The URL of a database with the job database's tables, or with none."""
        name = f"tally_jobs_{uuid4().hex[:12]}"
        self.server.execute(f"CREATE DATABASE {name}" + ("" if empty else f" TEMPLATE {self.template}"))
        self.made.append(name)
        return asynchronous(self.server.admin.set(database=name))

    def drop(self) -> None:
        """Remove what was made since the last time."""
        self.server.execute(*(f"DROP DATABASE {name} WITH (FORCE)" for name in self.made))
        self.made.clear()


@contextmanager
def job_databases(server: Server) -> Iterator[JobDatabases]:
    """Job databases on a server, which is left as it was found."""
    template = f"tally_template_{uuid4().hex[:12]}"
    server.execute(f"CREATE DATABASE {template}")

    async def fill() -> None:
        database = Database(asynchronous(server.admin.set(database=template)))
        await database.write(migration.upgrade)
        await database.close()

    try:
        asyncio.run(fill())
        databases = JobDatabases(server, template)
        yield databases
        databases.drop()
    finally:
        server.execute(f"DROP DATABASE {template} WITH (FORCE)")
