"""The job database's schema: up and down on every kind of database, by the command or by a coordinator that starts."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from services.coordinator.database import migration
from services.coordinator.database.engine import Database
from services.coordinator.database.tables import metadata
from shared.errors import TallyError
from tests.integration.job_databases import JobDatabases

COMMAND = [sys.executable, "-m", "services.coordinator", "migrate"]
NEWEST = migration.revisions()[-1]


def differences(connection: Connection) -> list[object]:
    """In what the schema differs from the tables that the code speaks of."""
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def environment(url: str, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")}
    return kept | {"TALLY_DATABASE_URL": url, "PYTHONPATH": str(Path(__file__).parents[2]), **settings}


def migrate(url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    told = environment(url, **settings)
    return subprocess.run(command, env=told, capture_output=True, text=True, timeout=90, check=False)


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(database: Database) -> None:
    assert await database.read(differences) == []


async def test_down_to_nothing_and_up_again_is_the_same_schema(database: Database) -> None:
    assert await migration.migrate(database, "base") == (NEWEST, "base")
    assert await database.read(tables) == {"alembic_version"}
    assert await migration.migrate(database) == ("base", NEWEST)
    assert await database.read(differences) == []


async def test_a_difference_between_schema_and_tables_is_seen(database: Database) -> None:
    await database.write(lambda connection: connection.execute(text("ALTER TABLE rows ADD COLUMN extra INTEGER")))
    assert await database.read(differences)


async def test_a_revision_that_there_is_not_is_refused(database: Database) -> None:
    with pytest.raises(TallyError, match=r"E-4073: .*no revision 4711"):
        await migration.migrate(database, "4711")


async def test_the_schema_of_a_later_release_is_left_as_it_is(database: Database) -> None:
    later = text("UPDATE alembic_version SET version_num = '9999'")
    await database.write(lambda connection: connection.execute(later))
    assert await migration.migrate(database) == ("9999", "9999")
    assert await migration.prepare(database, migrates=False)
    with pytest.raises(TallyError, match="E-4073"):
        await migration.migrate(database, "base")


async def test_a_coordinator_that_may_not_migrate_waits_until_somebody_has(database: Database) -> None:
    await migration.migrate(database, "base")
    waiting = asyncio.create_task(migration.prepare(database, migrates=False, patience=60))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    await migration.migrate(database)
    assert await waiting == await migration.prepare(database)


async def test_it_does_not_wait_for_ever(database: Database) -> None:
    await migration.migrate(database, "base")
    with pytest.raises(TallyError, match=r"E-4072: .*at base, this release needs"):
        await migration.prepare(database, migrates=False, patience=0.2)


def test_the_command_says_where_the_schema_was_and_is(database_url: str) -> None:
    made = migrate(database_url)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip().endswith((f"schema: base -> {NEWEST}", f"schema: {NEWEST}, as it was"))
    undone = migrate(database_url, "--to", "base")
    assert (undone.returncode, undone.stdout) == (0, f"schema: {NEWEST} -> base\n")


def test_the_command_says_that_there_is_no_database() -> None:
    done = migrate("postgresql://tally:planted-secret@127.0.0.1:1/jobs", TALLY_DATABASE_WAIT="0.1")
    assert done.returncode == 1
    assert "E-4070: The job database at 127.0.0.1:1/jobs cannot be reached" in done.stderr
    assert "planted-secret" not in done.stdout + done.stderr


def test_the_command_waits_for_a_database_that_is_still_to_come(served_job_databases: JobDatabases) -> None:
    url = served_job_databases.make(empty=True)
    name, server = url.rpartition("/")[2], served_job_databases.server
    server.execute(f"ALTER DATABASE {name} RENAME TO {name}_later")
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, env=environment(url), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "waiting for the job database" in process.stderr.readline()
        server.execute(f"ALTER DATABASE {name}_later RENAME TO {name}")
        assert f"schema: base -> {NEWEST}" in process.stdout.read()
    assert process.returncode == 0


async def test_coordinators_that_start_together_agree_on_one_installation(served_job_databases: JobDatabases) -> None:
    url = served_job_databases.make(empty=True)
    databases = [Database(url) for _ in range(4)]
    found = await asyncio.gather(*(migration.prepare(database, patience=60) for database in databases))
    assert len(set(found)) == 1
    count = text("SELECT count(*) FROM installation")
    assert await databases[0].read(lambda connection: connection.scalar(count)) == 1
    for database in databases:
        await database.close()
