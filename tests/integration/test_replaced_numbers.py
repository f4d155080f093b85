"""The number of an order that a later job shipped again: that job's stands in the source, and is no conflict."""

import pytest

from services.coordinator.database import checks, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.voids import VoidOrder
from shared.contracts.states import JobStatus, WriteBackStatus
from shared.contracts.voiding import VoidOutcome
from shared.errors import TRACKING_CONFLICT, WRITE_FAILED, TallyError
from tests.integration.house import House, tracking_numbers
from tests.integration.job_steps import NOW, checked, failed, job, record, row, shipped, started, written

CONFLICT = TallyError(TRACKING_CONFLICT, row_number=1, path="orders.csv").body
UNWRITABLE = TallyError(WRITE_FAILED, path="orders.csv", reason="it is gone").body


async def sold(database: Database, request_id: str, number: str, *, reship: bool = False) -> str:
    """A job of one row that is sold, its write-back under way."""
    job_id = await started(database, request_id, rows=1, reship=reship)
    await record(database, shipped(job_id, 1, number=number))
    return job_id


async def voided(database: Database, job_id: str, number: str) -> None:
    await database.write(voids.order_voids, job_id, VoidOrder((1,), "ann"), NOW)
    outcome = VoidOutcome(job_id=job_id, row_number=1, shipment_id=number, status="voided", at=NOW)
    await database.write(voids.record_void, outcome, NOW)


async def write_back_of(database: Database, job_id: str) -> tuple[WriteBackStatus, object]:
    document = (await row(database, job_id, 1)).write_back
    return document.status, document.error


async def test_a_late_number_that_meets_a_later_jobs_is_left_out_and_its_job_has_no_warning(database: Database) -> None:
    first = await sold(database, "first", "1ZOLD")
    await sold(database, "again", "1ZNEW", reship=True)
    await written(database, first, 1, error=CONFLICT)
    assert await write_back_of(database, first) == (WriteBackStatus.REMOVED, None)
    await checked(database, first)
    assert (await job(database, first)).status is JobStatus.COMPLETED


async def test_a_number_that_meets_anybody_elses_is_a_conflict(database: Database) -> None:
    first = await sold(database, "first", "1ZOLD")
    await written(database, first, 1, error=CONFLICT)
    assert await write_back_of(database, first) == (WriteBackStatus.FAILED, CONFLICT)


async def test_a_voided_number_that_makes_way_for_a_later_jobs_is_no_conflict(database: Database) -> None:
    first = await sold(database, "first", "1ZOLD")
    await written(database, first, 1)
    await checked(database, first)
    await voided(database, first, "1ZOLD")
    await sold(database, "next", "1ZNEW")
    await written(database, first, 1, version=2, error=CONFLICT)
    assert await write_back_of(database, first) == (WriteBackStatus.REMOVED, None)
    assert (await job(database, first)).status is JobStatus.COMPLETED


async def test_a_number_that_could_not_be_written_is_not_tried_again_once_a_later_job_shipped(
    database: Database,
) -> None:
    first = await sold(database, "first", "1ZOLD")
    await written(database, first, 1, error=UNWRITABLE)
    await checked(database, first)
    await written(database, first, 1, version=2, error=UNWRITABLE)
    assert (await job(database, first)).status is JobStatus.COMPLETED_WITH_WARNINGS
    await sold(database, "again", "1ZNEW", reship=True)
    step = await database.write(checks.order_again, first, [], "ann", NOW)
    assert step.writebacks == ()
    assert await write_back_of(database, first) == (WriteBackStatus.REMOVED, None)
    assert (await job(database, first)).status is JobStatus.COMPLETED


async def test_at_a_jobs_end_a_later_jobs_number_is_not_taken_for_a_missing_one(database: Database) -> None:
    first = await sold(database, "first", "1ZOLD")
    await written(database, first, 1)
    await sold(database, "again", "1ZNEW", reship=True)
    step = await checked(database, first, 1)
    assert (step.writebacks, step.entered) == ((), JobStatus.COMPLETED)


async def test_where_the_later_label_is_voided_the_earlier_number_is_written_again(database: Database) -> None:
    first = await sold(database, "first", "1ZOLD")
    await written(database, first, 1)
    again = await sold(database, "again", "1ZNEW", reship=True)
    await written(database, again, 1)
    await voided(database, again, "1ZNEW")
    step = await database.write(checks.order_again, first, [1], "ann", NOW)
    assert [command.values.tracking_number for command in step.writebacks] == ["1ZOLD"]


async def test_a_row_that_was_shipped_again_after_all_has_its_order(database: Database) -> None:
    first = await sold(database, "first", "1ZOLD")
    again = await started(database, "again", rows=1, reship=True)
    await record(database, failed(again, 1))
    await record(database, shipped(again, 1, number="1ZNEW"))
    for job_id, numbers in ((first, []), (again, ["1ZNEW"])):
        await written(database, job_id, 1)
        step = await database.write(checks.order_again, job_id, [1], "ann", NOW)
        assert [command.values.tracking_number for command in step.writebacks] == numbers


@pytest.mark.parametrize("again", ["--reship", "restart"])
def test_verify_says_which_job_shipped_an_order_again(house: House, again: str) -> None:
    path = house.orders(f"replaced{again}.csv", 2, seed=len(again))
    first = house.submit(path)
    assert house.finished(first)["status"] == "completed"
    old = tracking_numbers(path)
    if again == "restart":
        assert house.run("restart", first, "--yes").returncode == 0
        later = house.json("show", first)["restarted_as"]
    else:
        later = house.submit(path, "--reship")
    assert house.finished(later)["status"] == "completed"
    new = tracking_numbers(path)
    found = house.json("verify", first)
    assert (found["agrees"], found["replaced"], found["other"], found["rewritten"]) == (True, 2, 0, 0)
    assert [(row["tracking_number"], row["found"], row["later_job"]) for row in found["rows"]] == [
        (*numbers, later) for numbers in zip(old, new, strict=True)
    ]
    done = house.run("verify", first)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert f"shipped again by job {later}, whose {new[0]} takes the place of {old[0]}." in text
    assert house.run("verify", later).returncode == 0
    assert (tracking_numbers(path), house.json("show", first)["status"]) == (new, "completed")


def test_verify_puts_no_earlier_number_where_a_later_jobs_is_missing(house: House) -> None:
    path = house.orders("replaced-and-saved-over.csv", 2, seed=77)
    before = path.read_bytes()
    first = house.submit(path)
    assert house.finished(first)["status"] == "completed"
    later = house.submit(path, "--reship")
    assert house.finished(later)["status"] == "completed"
    new = tracking_numbers(path)
    path.write_bytes(before)
    assert house.run("verify", first).returncode == 0
    assert path.read_bytes() == before
    assert house.run("verify", later).returncode == 0
    assert tracking_numbers(path) == new
