"""A job database on a server that goes away: what was under way is done again or said to be unknown, never half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, func, select, text, update

from services.coordinator.database import outcomes
from services.coordinator.database.engine import Database
from services.coordinator.database.step import Step
from services.coordinator.database.tables import audit, jobs
from shared.errors import TallyError
from tests.integration.database_server import Server
from tests.integration.job_databases import JobDatabases
from tests.integration.job_steps import ISSUE, NOW, job, record, row, shipped, started

PATIENCE = 60
# A commit of a change of rows takes a minute where the transaction asks for that.
WAITING = (
    """CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('tally.wait', true) = 'on' THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER waits AFTER UPDATE ON rows DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait()""",
)


@dataclass
class Served:
    """A job database on a server, and its name there."""

    server: Server
    name: str
    database: Database

    def end_connections(self, *, waiting_for: str | None = None) -> int:
        """End its connections, or those that wait for something; how many there were."""
        which = f"datname = '{self.name}'" + (f" AND wait_event = '{waiting_for}'" if waiting_for else "")
        ended = self.server.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {which}")
        return len(ended)


@pytest.fixture
async def served(served_job_databases: JobDatabases) -> AsyncIterator[Served]:
    url = served_job_databases.make()
    database = Database(url)
    yield Served(served_job_databases.server, url.rpartition("/")[2], database)
    await database.close()


async def until_ended(served: Served, waiting_for: str) -> None:
    """End the connection that waits for something, once one does."""
    async with asyncio.timeout(PATIENCE):
        # There is no event to wait for: the server's own view is the sign.
        while not await asyncio.to_thread(served.end_connections, waiting_for=waiting_for):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def next_row(step: Step) -> int:
    assert step.ship is not None
    return step.ship.row_number


async def sold(served: Served) -> int:
    counted = select(func.count()).where(audit.c.action == "row.shipped")
    return await served.database.read(lambda connection: connection.scalar(counted) or 0)


async def test_a_transaction_whose_connection_ended_is_done_again(served: Served) -> None:
    job_id = await started(served.database)
    ended: list[int] = []

    def record_with_trouble(connection: Connection) -> Step:
        step = outcomes.record_outcome(connection, shipped(job_id, 1), NOW, ISSUE)
        if not ended:
            ended.append(served.end_connections())
            connection.execute(select(1))
        return step

    step = await served.database.write(record_with_trouble)
    assert (len(ended), next_row(step), await sold(served)) == (1, 2, 1)


async def test_a_commit_that_was_cut_off_and_undone_is_said_and_made_good_by_redelivery(served: Served) -> None:
    job_id = await started(served.database)
    for statement in WAITING:
        await served.database.write(lambda connection, what: connection.exec_driver_sql(what), statement)

    def record_slowly(connection: Connection) -> Step:
        connection.execute(text("SET LOCAL tally.wait = 'on'"))
        return outcomes.record_outcome(connection, shipped(job_id, 1), NOW, ISSUE)

    writing = asyncio.create_task(served.database.write(record_slowly))
    await until_ended(served, "PgSleep")
    with pytest.raises(TallyError, match="E-4070"):
        await writing
    assert (await row(served.database, job_id, 1)).status == "in_flight"
    assert next_row(await record(served.database, shipped(job_id, 1))) == 2
    assert await sold(served) == 1


async def test_a_commit_that_was_cut_off_and_took_place_is_said_and_not_done_twice(served: Served) -> None:
    """The server has committed, and waits for a standby that there is not when its connection ends."""
    job_id = await started(served.database)
    served.server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    try:
        writing = asyncio.create_task(record(served.database, shipped(job_id, 1)))
        await until_ended(served, "SyncRep")
        with pytest.raises(TallyError, match="E-4070"):
            await writing
    finally:
        served.server.execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    assert (await row(served.database, job_id, 1)).status == "shipped"
    again = await record(served.database, shipped(job_id, 1))
    assert again.writeback is not None
    assert (next_row(again), again.writeback.row_number, await sold(served)) == (2, 1, 1)


async def test_a_server_that_was_away_is_found_again(served: Served) -> None:
    job_id = await started(served.database)
    await asyncio.gather(*(job(served.database, job_id) for _ in range(5)))
    served.end_connections()
    served.server.execute(f"ALTER DATABASE {served.name} RENAME TO {served.name}_away")
    with pytest.raises(TallyError, match="E-4070") as away:
        await record(served.database, shipped(job_id, 1))
    assert away.value.kind.retryable
    with pytest.raises(TallyError, match="E-4070"):
        await job(served.database, job_id)
    served.server.execute(f"ALTER DATABASE {served.name}_away RENAME TO {served.name}")
    assert next_row(await record(served.database, shipped(job_id, 1))) == 2


async def test_a_server_that_ended_every_connection_is_no_trouble_to_anybody(served: Served) -> None:
    job_id = await started(served.database)
    await asyncio.gather(*(job(served.database, job_id) for _ in range(5)))
    assert served.end_connections() > 1
    assert next_row(await record(served.database, shipped(job_id, 1))) == 2
    found = await asyncio.gather(*(job(served.database, job_id) for _ in range(5)))
    assert {each.cursor for each in found} == {1}


async def test_what_is_waited_for_is_bounded(served: Served) -> None:
    def shown(connection: Connection) -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names]

    assert await served.database.read(shown) == ["1min", "15s", "1min"]
    job_id = await started(served.database)
    locked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: Connection) -> None:
        connection.execute(select(jobs.c.name).where(jobs.c.job_id == job_id).with_for_update())
        loop.call_soon_threadsafe(locked.set)
        connection.exec_driver_sql("SELECT pg_sleep(1)")

    def want(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(name="other"))

    holding = asyncio.create_task(served.database.write(hold))
    await locked.wait()
    with pytest.raises(TallyError, match=r"E-4071: .*lock timeout"):
        await served.database.write(want)
    await holding


async def test_a_read_sees_one_moment(database: Database) -> None:
    job_id = await started(database)
    loop = asyncio.get_running_loop()
    seen, changed = asyncio.Event(), asyncio.Event()

    async def change() -> None:
        await seen.wait()
        await database.write(lambda connection: connection.execute(update(jobs).values(name="other")))
        changed.set()

    def twice(connection: Connection) -> list[str | None]:
        first = connection.scalar(select(jobs.c.name).where(jobs.c.job_id == job_id))
        loop.call_soon_threadsafe(seen.set)
        for _ in range(400):
            second = connection.scalar(select(jobs.c.name).where(jobs.c.job_id == job_id))
            if changed.is_set():
                break
        return [first, second]

    changing = asyncio.create_task(change())
    assert await database.read(twice) == ["orders.csv"] * 2
    await changing
