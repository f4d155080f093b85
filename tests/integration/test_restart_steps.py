"""The same work again, as the job database keeps it: skipped, shipped again on request, done over as a restart."""

import pytest

from services.coordinator.database import intake, lineage, migration, restarting, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow
from services.coordinator.database.restarting import RestartOrder
from services.coordinator.database.step import Step
from services.coordinator.database.voids import VoidOrder
from services.coordinator.identity import job_id_for, restart_request_id
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobMode, JobStatus, RowStatus
from shared.contracts.voiding import VoidOutcome
from shared.errors import RESTART_UNSETTLED, TallyError
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import ISSUE, NOW, failed, in_doubt, job, record, row, shipped, started, take_in


@pytest.fixture(autouse=True)
async def installed(database: Database) -> str:
    """The installation's id, by which jobs are named."""
    return await database.write(migration.installation_id)


@pytest.fixture
async def stopped(database: Database) -> str:
    """A job of three rows that failed at its second."""
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await record(database, failed(job_id, 2))
    return job_id


async def restart(database: Database, job_id: str, mode: JobMode | None = None) -> Step:
    return await database.write(restarting.restart, job_id, RestartOrder("ann", mode), NOW)


async def taken_in(database: Database, request: JobRequest, rows: int = 3) -> str:
    """The restart's rows in the job database, its first one in flight where that may be."""
    job_id = job_id_for(await database.write(migration.installation_id), request.request_id)
    await database.write(intake.begin_intake, job_id, "again", request.source, NOW)
    batch = [NewRow(number, str(number), "sum", f"print-{number}", SHIPMENT) for number in range(1, rows + 1)]
    await database.write(intake.add_rows, job_id, "again", "ABCDEFGH", 1, batch, NOW)
    await database.write(intake.finish_intake, job_id, "again", rows, "mapping", NOW)
    return job_id


async def test_a_restart_is_a_new_job_and_the_old_one_is_over(database: Database, stopped: str) -> None:
    step = await restart(database, stopped)
    assert step.request is not None
    assert (step.request.restart_of, step.request.request_id) == (stopped, "orders:restart")
    old = await job(database, stopped)
    assert (old.status, step.entered) == (JobStatus.CANCELLED, JobStatus.CANCELLED)
    assert old.restarted_as is not None
    new = await job(database, old.restarted_as)
    assert (new.status, new.restart_of, new.requested_by) == (JobStatus.PENDING, stopped, "ann")


async def test_restarting_the_same_job_twice_is_the_same_new_job(database: Database, stopped: str) -> None:
    first = await restart(database, stopped)
    again = await restart(database, stopped, JobMode.CONFIRM)
    assert again.request == first.request
    assert first.request is not None
    new = await taken_in(database, first.request)
    await database.write(steps.start, new, "again", "ann", NOW, ISSUE)
    assert (await restart(database, stopped)).request is None


async def test_a_restart_may_be_in_another_mode(database: Database, stopped: str) -> None:
    step = await restart(database, stopped, JobMode.CONFIRM)
    assert step.request is not None
    assert step.request.mode is JobMode.CONFIRM


async def test_a_job_at_its_end_stays_as_it_ended(database: Database, stopped: str) -> None:
    await database.write(steps.halt, stopped, JobStatus.CANCELLED, "ann", NOW)
    assert (await restart(database, stopped)).entered is None
    assert (await job(database, stopped)).restarted_as is not None


@pytest.mark.parametrize("status", [RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING])
async def test_a_job_with_an_unsettled_row_is_not_restarted(database: Database, status: RowStatus) -> None:
    job_id = await started(database)
    if status is RowStatus.IN_DOUBT:
        await record(database, in_doubt(job_id, 1))
    if status is RowStatus.VOIDING:
        await record(database, shipped(job_id, 1))
        await record(database, failed(job_id, 2))
        await database.write(voids.order_voids, job_id, VoidOrder((1,), "ann"), NOW)
    with pytest.raises(TallyError, match=rf"E-4022 \(row 1\): Row 1 of job {job_id} is {status}"):
        await restart(database, job_id)


async def test_a_request_id_that_somebody_else_used_is_not_taken_for_the_restart(
    database: Database, stopped: str
) -> None:
    await take_in(database, "orders:restart")
    with pytest.raises(TallyError, match="E-2021"):
        await restart(database, stopped)


async def test_a_malformed_request_cannot_be_done_over(database: Database) -> None:
    error = TallyError(RESTART_UNSETTLED, row_number=1, job_id="x", status="x").body
    job_id = job_id_for("ABCDEFGH", "bad")
    await database.write(intake.admit_rejected, job_id, "bad", error, NOW)
    with pytest.raises(TallyError, match="E-4005"):
        await restart(database, job_id)


async def test_a_restart_ships_again_what_its_old_job_shipped_and_replaces_its_number(
    database: Database, stopped: str
) -> None:
    step = await restart(database, stopped)
    assert step.request is not None
    new = await taken_in(database, step.request)
    started_step = await database.write(steps.start, new, "again", "ann", NOW, ISSUE)
    assert started_step.ship is not None
    assert started_step.ship.row_number == 1
    sold = await record(database, shipped(new, 1, number="1ZNEW"))
    assert sold.writeback is not None
    assert sold.writeback.replaces == (f"1Z{1:016d}",)
    document = await row(database, new, 1)
    assert document.shipped_before is not None
    assert (document.shipped_before.job_id, document.shipped_before.row_number) == (stopped, 1)


async def test_a_restart_skips_what_a_third_job_shipped(database: Database) -> None:
    third = await started(database, "third", rows=1)
    await record(database, shipped(third, 1))
    job_id = await started(database, "orders", rows=2)
    await record(database, failed(job_id, 2))
    step = await restart(database, job_id)
    assert step.request is not None
    new = await taken_in(database, step.request, rows=2)
    command = await database.write(steps.start, new, "again", "ann", NOW, ISSUE)
    assert command.ship is not None
    assert command.ship.row_number == 2
    skipped = await row(database, new, 1)
    assert skipped.shipped_before is not None
    assert (skipped.status, skipped.shipped_before.job_id) == (RowStatus.SKIPPED, third)


async def test_a_restarts_restart_may_ship_again_what_the_first_job_shipped(database: Database, stopped: str) -> None:
    first = await restart(database, stopped)
    assert first.request is not None
    new = await taken_in(database, first.request)
    second = await restart(database, new)
    assert second.request is not None
    assert second.request.request_id == "orders:restart:restart"
    assert await database.read(lineage.ancestors, second.request.restart_of) == {stopped, new}
    sold = await database.read(lineage.numbers_sold, new)
    assert {number: before.job_id for number, before in sold.items()} == {f"1Z{1:016d}": stopped}


async def test_what_reship_finds_in_the_source_may_be_replaced(database: Database) -> None:
    job_id = await take_in(database, "orders", reship=True)
    seen = NewRow(1, "1", "sum", "print-1", SHIPMENT, replaces=("1ZSOMEBODYS",))
    await database.write(intake.begin_intake, job_id, "intake", CsvSource(path="orders.csv"), NOW)
    await database.write(intake.add_rows, job_id, "intake", "ABCDEFGH", 1, [seen], NOW)
    await database.write(intake.finish_intake, job_id, "intake", 1, "mapping", NOW)
    await database.write(steps.start, job_id, "intake", "ann", NOW, ISSUE)
    step = await record(database, shipped(job_id, 1))
    assert step.writeback is not None
    assert step.writeback.replaces == ("1ZSOMEBODYS",)


@pytest.mark.parametrize("ends", ["failed", "voided"])
async def test_an_order_that_did_not_ship_again_after_all_is_still_shipped_by_its_first_job(
    database: Database, ends: str
) -> None:
    first = await started(database, "first", rows=1)
    await record(database, shipped(first, 1))
    again = await started(database, "again", rows=1, reship=True)
    if ends == "failed":
        await record(database, failed(again, 1))
    else:
        await record(database, shipped(again, 1, number="1ZNEW"))
        await database.write(voids.order_voids, again, VoidOrder((1,), "ann"), NOW)
        outcome = VoidOutcome(job_id=again, row_number=1, shipment_id="1ZNEW", status="voided", at=NOW)
        await database.write(voids.record_void, outcome, NOW)
    third = await started(database, "third", rows=1)
    skipped = await row(database, third, 1)
    assert skipped.shipped_before is not None
    assert (skipped.status, skipped.shipped_before.job_id) == (RowStatus.SKIPPED, first)


def test_a_restarts_request_id_is_always_the_same_and_never_too_long() -> None:
    assert restart_request_id("orders") == "orders:restart"
    names = [f"{'x' * 199}{letter}" for letter in "ab"]
    made = [restart_request_id(name) for name in names]
    assert [len(name) for name in made] == [200, 200]
    assert made[0] != made[1]
    assert made == [restart_request_id(name) for name in names]
