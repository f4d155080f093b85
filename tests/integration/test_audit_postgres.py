"""The audit trail and the purge in a job database on PostgreSQL, where jobs really run side by side."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from services.coordinator.database import migration, purging, queries
from services.coordinator.database.engine import Database
from services.coordinator.database.purging import Removed
from services.coordinator.records.auditing import Auditing
from shared.contracts.audit import VerifyAudit
from tests.contract.messages import CALL
from tests.integration.database_server import Server
from tests.integration.job_steps import NOW, checked, record, shipped, started, written


@pytest.fixture
async def database(postgres_server: Server) -> AsyncIterator[Database]:
    name = f"tally_jobs_{uuid.uuid4().hex[:8]}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    url = postgres_server.admin.set(drivername="postgresql", database=name)
    database = Database(url.render_as_string(hide_password=False))
    await database.write(migration.upgrade)
    yield database
    await database.close()
    postgres_server.execute(f"DROP DATABASE {name}")


async def run(database: Database, request_id: str) -> str:
    job_id = await started(database, request_id, 2, fingerprint=request_id)
    for number in (1, 2):
        sold = shipped(job_id, number, number=f"1Z{request_id}{number}").model_copy(update={"calls": (CALL,)})
        await record(database, sold)
        await written(database, job_id, number)
    await checked(database, job_id)
    return job_id


async def test_jobs_that_begin_and_end_at_once_are_in_one_register(database: Database) -> None:
    jobs = await asyncio.gather(*(run(database, f"orders{number}") for number in range(6)))
    found = await Auditing(database).verify(VerifyAudit())
    assert (found.jobs, found.faults) == (len(jobs), ())
    assert await database.write(purging.begin, jobs[0], NOW.replace(year=2027), "ann", NOW)
    await database.write(purging.strip_rows, jobs[0], 0, 500)
    await database.write(purging.finish, jobs[0], Removed(2, 2), "ann", NOW)
    assert [row.purged for row in await database.read(queries.list_rows, jobs[0], None, 0, 10)] == [True, True]
    assert (await Auditing(database).verify(VerifyAudit())).intact
