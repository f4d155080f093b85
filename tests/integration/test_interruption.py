"""Whether a job is interrupted is decided by the coordinator that starts, from the heartbeats of those before it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from services.coordinator.database import interruption, migration, steps
from services.coordinator.database.engine import Database
from services.coordinator.database.interruption import Presence
from services.coordinator.database.step import Step
from services.coordinator.database.tables import audit, coordinators
from shared.contracts.ledger import KnownLedger
from shared.contracts.states import InterruptPolicy, JobStatus, RowStatus
from tests.integration.job_steps import ISSUE, NOW, job, record, row, shipped, started

COUNTS_FOR = timedelta(seconds=15)
LATER = NOW + timedelta(minutes=3)


def presence(name: str, house_run: str = "") -> Presence:
    return Presence(name, house_run, COUNTS_FOR)


async def arrive(database: Database, who: Presence, at: datetime = LATER) -> list[Step]:
    return await database.write(interruption.arrive, who, at)


async def asking(database: Database, request_id: str = "asking", rows: int = 3) -> str:
    return await started(database, request_id, rows, on_interrupt=InterruptPolicy.ASK)


async def test_a_running_job_is_interrupted_where_no_coordinator_was_there(database: Database) -> None:
    job_id = await asking(database)
    await record(database, shipped(job_id, 1))
    (step,) = await arrive(database, presence("new"))
    assert (step.job_id, step.entered) == (job_id, JobStatus.INTERRUPTED)
    found = await job(database, job_id)
    assert (found.status, found.cursor) == (JobStatus.INTERRUPTED, 1)
    assert found.error is not None
    assert (found.error.code, found.error.row) == ("E-4014", 2)


async def test_nobody_is_asked_where_another_coordinator_was_seen_a_moment_ago(database: Database) -> None:
    job_id = await asking(database)
    await database.write(interruption.beat, presence("other"), LATER - timedelta(seconds=3))
    assert await arrive(database, presence("new")) == []
    assert (await job(database, job_id)).status is JobStatus.RUNNING


async def test_a_coordinator_of_a_former_run_of_the_house_does_not_count(database: Database) -> None:
    job_id = await asking(database)
    await database.write(interruption.beat, presence("other", "yesterday"), LATER - timedelta(seconds=1))
    await arrive(database, presence("new", "today"))
    assert (await job(database, job_id)).status is JobStatus.INTERRUPTED


async def test_the_policy_resume_goes_on_by_itself_and_the_trail_says_so(database: Database) -> None:
    job_id = await started(database, "resuming")
    (step,) = await arrive(database, presence("new"))
    assert step.entered is JobStatus.RUNNING
    assert (await job(database, job_id)).status is JobStatus.RUNNING
    actions = await database.read(
        lambda connection: connection.execute(select(audit.c.action, audit.c.actor).order_by(audit.c.seq)).all()
    )
    assert [tuple(entry) for entry in actions[-2:]] == [
        ("job.interrupted", "coordinator"),
        ("job.running", "on_interrupt"),
    ]


async def test_the_row_in_flight_of_an_interrupted_job_is_recorded_and_no_other_starts(database: Database) -> None:
    job_id = await asking(database)
    await arrive(database, presence("new"))
    step = await record(database, shipped(job_id, 1))
    assert step.ship is None
    found = await job(database, job_id)
    assert (found.status, found.cursor, found.error) == (JobStatus.INTERRUPTED, 1, None)
    resumed = await database.write(steps.resume, job_id, "ann", LATER, ISSUE)
    assert resumed.ship is not None
    assert (resumed.ship.row_number, resumed.ship.attempt) == (2, 1)


async def test_resuming_an_interrupted_job_retries_its_row_in_flight_under_the_same_attempt(database: Database) -> None:
    job_id = await asking(database)
    await arrive(database, presence("new"))
    resumed = await database.write(steps.resume, job_id, "ann", LATER, ISSUE)
    assert resumed.ship is not None
    assert (resumed.ship.row_number, resumed.ship.attempt) == (1, 1)


async def test_a_job_whose_last_row_ships_while_it_is_interrupted_has_nothing_left_to_ask(database: Database) -> None:
    job_id = await asking(database, rows=1)
    await arrive(database, presence("new"))
    await record(database, shipped(job_id, 1))
    assert (await job(database, job_id)).status is JobStatus.RUNNING
    assert (await row(database, job_id, 1)).status is RowStatus.SHIPPED


@pytest.mark.parametrize("policy", InterruptPolicy)
async def test_only_running_jobs_are_interrupted(database: Database, policy: InterruptPolicy) -> None:
    job_id = await started(database, "paused", on_interrupt=policy)
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    assert await arrive(database, presence("new")) == []
    assert (await job(database, job_id)).status is JobStatus.PAUSED


async def test_heartbeats_of_the_dead_are_forgotten(database: Database) -> None:
    for name in ("a", "b", "c"):
        await database.write(interruption.beat, presence(name), NOW)
    await arrive(database, presence("new"))
    left = await database.read(
        lambda connection: connection.execute(select(coordinators.c.coordinator_id)).scalars().all()
    )
    assert left == ["new"]


async def test_how_far_the_ledger_has_come_is_remembered_for_its_epoch(database: Database) -> None:
    await database.write(migration.installation_id)
    assert await database.read(interruption.remembered_ledger) == KnownLedger(epoch="", sequence=0)
    for mark in (5, 9, 7):
        await database.write(interruption.remember_ledger, KnownLedger(epoch="a", sequence=mark))
    assert await database.read(interruption.remembered_ledger) == KnownLedger(epoch="a", sequence=9)
    await database.write(interruption.remember_ledger, KnownLedger(epoch="b", sequence=1))
    assert await database.read(interruption.remembered_ledger) == KnownLedger(epoch="b", sequence=1)
