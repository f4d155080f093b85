"""When a job's source may be put back, and what the job database keeps of it."""

import pytest

from services.coordinator.database import restores, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.voids import VoidOrder
from shared.contracts.restoring import Restoration
from shared.contracts.states import JobStatus, WriteBackStatus
from shared.contracts.voiding import VoidOutcome
from shared.errors import ErrorBody, TallyError
from tests.integration.job_steps import NOW, ORDERS, checked, job, record, row, shipped, started, take_in, written

DONE = Restoration(job_id="j", path="/o.csv", backup="/b.csv", taken_at=NOW, digest="0" * 64, restored=True)


async def test_a_source_may_be_put_back_once_no_number_is_on_its_way(database: Database) -> None:
    job_id = await take_in(database, "orders", rows=2)
    with pytest.raises(TallyError, match=r"E-4005.*pending, it never wrote"):
        await database.read(restores.restorable, job_id, NOW)
    job_id = await started(database, "second", rows=2, fingerprint="other")
    with pytest.raises(TallyError, match=r"E-4005.*running"):
        await database.read(restores.restorable, job_id, NOW)
    await record(database, shipped(job_id, 1))
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    with pytest.raises(TallyError, match="the number of row 1 is on its way"):
        await database.read(restores.restorable, job_id, NOW)
    await written(database, job_id, 1)
    with pytest.raises(TallyError, match="the number of row 2 is on its way"):
        await database.read(restores.restorable, job_id, NOW)
    await record(database, shipped(job_id, 2))
    await written(database, job_id, 2, error=ErrorBody(code="E-4011", message="no"))
    source, count = await database.read(restores.restorable, job_id, NOW)
    assert (source, count) == (ORDERS, 1)


async def test_what_was_written_is_removed_by_a_restore_and_stays_so(database: Database) -> None:
    job_id = await started(database, rows=2)
    for number in (1, 2):
        await record(database, shipped(job_id, number))
    await written(database, job_id, 1)
    await written(database, job_id, 2, error=ErrorBody(code="E-4012", message="another number"))
    await checked(database, job_id)
    await written(database, job_id, 2, version=2, error=ErrorBody(code="E-4012", message="another number"))
    await database.write(restores.order_restore, job_id, "ann", NOW)
    await database.write(restores.record_restored, job_id, DONE, NOW)
    statuses = [(await row(database, job_id, number)).write_back.status for number in (1, 2)]
    assert statuses == [WriteBackStatus.REMOVED, WriteBackStatus.FAILED]
    await written(database, job_id, 1)  # the report comes again
    assert (await row(database, job_id, 1)).write_back.status is WriteBackStatus.REMOVED
    counts = (await job(database, job_id)).write_back
    assert (counts.due, counts.written, counts.failed, counts.removed) == (0, 0, 1, 1)


async def test_a_row_whose_number_was_removed_can_still_be_voided(database: Database) -> None:
    job_id = await started(database, rows=1)
    await record(database, shipped(job_id, 1))
    await written(database, job_id, 1)
    await database.write(restores.record_restored, job_id, DONE, NOW)
    await database.write(voids.order_voids, job_id, VoidOrder((1,), "ann"), NOW)
    outcome = VoidOutcome(job_id=job_id, row_number=1, shipment_id=f"1Z{1:016d}", status="voided", at=NOW)
    step = await database.write(voids.record_void, outcome, NOW)
    assert step.writeback is not None
    await written(database, job_id, 1, version=2)
    assert (await row(database, job_id, 1)).write_back.status is WriteBackStatus.WRITTEN
