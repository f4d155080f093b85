"""Voids and second labels as the job database keeps them: each step is one transaction, and repeatable."""

from datetime import timedelta

import pytest

from services.coordinator.database import queries, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.step import Step
from services.coordinator.database.voids import VoidOrder
from shared.contracts.commands import WritebackCommand
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.contracts.voiding import VoidOutcome
from shared.errors import ErrorBody, TallyError
from shared.shipping import Money
from tests.integration.job_steps import ISSUE, NOW, checked, job, record, row, shipped, started, take_in, written

REFUSED = ErrorBody(code="E-3020", message="Not within the void period.")


async def order(database: Database, job_id: str, *row_numbers: int) -> Step:
    return await database.write(voids.order_voids, job_id, VoidOrder(row_numbers, "ann"), NOW)


async def ended(
    database: Database, job_id: str, row_number: int, *, error: ErrorBody | None = None, number: str | None = None
) -> Step:
    outcome = VoidOutcome(
        job_id=job_id,
        row_number=row_number,
        shipment_id=number or f"1Z{row_number:016d}",
        status="voided" if error is None else "refused",
        at=NOW,
        error=error,
    )
    return await database.write(voids.record_void, outcome, NOW)


async def completed(database: Database, request_id: str = "orders", rows: int = 1) -> str:
    job_id = await started(database, request_id, rows=rows)
    for number in range(1, rows + 1):
        await record(database, shipped(job_id, number))
        await written(database, job_id, number)
    await checked(database, job_id)
    return job_id


async def test_a_shipped_row_is_voiding_from_the_moment_its_void_is_ordered(database: Database) -> None:
    job_id = await completed(database, rows=2)
    step = await order(database, job_id, 2)
    assert [(void.row_number, void.shipment_id) for void in step.voids] == [(2, f"1Z{2:016d}")]
    document = await job(database, job_id)
    assert (document.rows.shipped, document.rows.voiding) == (1, 1)


async def test_a_void_ordered_again_is_only_published_again(database: Database) -> None:
    job_id = await completed(database)
    first = await order(database, job_id, 1)
    assert (await order(database, job_id, 1)).voids == first.voids
    await ended(database, job_id, 1)
    assert (await order(database, job_id, 1)).voids == ()


async def test_a_row_without_a_label_keeps_all_the_others_from_being_voided(database: Database) -> None:
    job_id = await started(database, rows=3)
    await record(database, shipped(job_id, 1))
    with pytest.raises(TallyError, match=r"E-4020 \(row 2\): Row 2 of job .* is in_flight"):
        await order(database, job_id, 1, 2)
    with pytest.raises(TallyError, match="E-4004"):
        await order(database, job_id, 1, 99)
    assert (await row(database, job_id, 1)).status is RowStatus.SHIPPED


async def test_a_voided_row_frees_its_order_costs_nothing_and_has_its_own_number_cleared(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    step = await ended(database, job_id, 1)
    assert step.writeback is not None
    assert (step.writeback.values.tracking_number, step.writeback.values.shipped_at) == (None, None)
    assert (step.writeback.replaces, step.writeback.row_version) == ((f"1Z{1:016d}",), 2)
    document = await job(database, job_id)
    assert (document.rows.voided, document.cost, document.write_back.due) == (1, Money(amount=0), 1)
    await written(database, job_id, 1, version=2)
    counts = (await job(database, job_id)).write_back
    assert (counts.due, counts.written) == (0, 0)
    second = await take_in(database, "second", rows=1)
    assert (await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)).ship is not None


async def test_a_row_on_its_way_to_being_voided_is_not_bought_by_another_job(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    second = await take_in(database, "second", rows=1)
    assert (await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)).ship is None
    error = (await job(database, second)).error
    assert error is not None
    assert error.code == "E-4006"


async def test_a_refused_void_leaves_the_row_shipped_with_the_carriers_words(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    step = await ended(database, job_id, 1, error=REFUSED)
    assert step.writeback is None
    document = await row(database, job_id, 1)
    assert document.error is not None
    assert (document.status, document.error.code, document.error.row) == (RowStatus.SHIPPED, "E-3020", 1)
    assert (await order(database, job_id, 1)).voids
    assert (await row(database, job_id, 1)).error is None


async def test_an_outcome_that_comes_again_changes_nothing(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    await ended(database, job_id, 1)
    before = await row(database, job_id, 1)
    assert (await ended(database, job_id, 1)).writeback is None
    await ended(database, job_id, 1, error=REFUSED)
    assert await row(database, job_id, 1) == before


async def test_a_void_carried_out_after_it_was_given_up_counts(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    await ended(database, job_id, 1, error=REFUSED)
    assert (await ended(database, job_id, 1)).writeback is not None
    assert (await row(database, job_id, 1)).status is RowStatus.VOIDED


async def test_a_running_job_completes_only_when_its_voids_have_ended(database: Database) -> None:
    job_id = await started(database, rows=1)
    await record(database, shipped(job_id, 1))
    await order(database, job_id, 1)
    await written(database, job_id, 1)
    assert (await job(database, job_id)).status is JobStatus.RUNNING
    await ended(database, job_id, 1)
    assert (await written(database, job_id, 1, version=2)).check
    assert (await checked(database, job_id)).entered is JobStatus.COMPLETED


async def test_a_number_that_could_not_be_cleared_is_a_warning_of_the_job(database: Database) -> None:
    job_id = await completed(database)
    end = (await job(database, job_id)).ended_at
    await order(database, job_id, 1)
    await ended(database, job_id, 1)
    conflict = ErrorBody(code="E-4012", message="Another number.")
    assert (await written(database, job_id, 1, 2, conflict)).entered is JobStatus.COMPLETED_WITH_WARNINGS
    assert (await job(database, job_id)).ended_at == end


async def test_a_void_without_an_outcome_is_known_to_the_watchdog(database: Database) -> None:
    job_id = await completed(database)
    step = await order(database, job_id, 1)
    later = NOW + timedelta(seconds=1)
    assert await database.read(voids.voids_waiting, NOW, 10) == []
    assert tuple(await database.read(voids.voids_waiting, later, 10)) == step.voids
    await ended(database, job_id, 1)
    assert await database.read(voids.voids_waiting, later, 10) == []


async def test_a_clearing_that_was_lost_is_published_again_as_a_clearing(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    step = await ended(database, job_id, 1)
    due: list[WritebackCommand] = await database.read(queries.write_backs_due, NOW + timedelta(seconds=1), 10)
    assert due == [step.writeback]


async def test_a_number_written_late_over_a_cleared_one_is_cleared_again(database: Database) -> None:
    job_id = await completed(database)
    await order(database, job_id, 1)
    await ended(database, job_id, 1)
    await written(database, job_id, 1, version=2)
    await written(database, job_id, 1, version=1)
    assert (await row(database, job_id, 1)).write_back.status is WriteBackStatus.DUE


async def second_label(database: Database, job_id: str, number: str = "1ZSECOND") -> Step:
    return await record(database, shipped(job_id, 1, attempt=2, number=number))


async def test_a_second_label_is_told_on_its_row_and_ends_the_job_with_warnings(database: Database) -> None:
    job_id = await completed(database)
    step = await second_label(database, job_id)
    assert (step.alarm, step.entered) == (True, JobStatus.COMPLETED_WITH_WARNINGS)
    document = await row(database, job_id, 1)
    assert document.error is not None
    assert document.error.code == "E-3021"
    assert f"1Z{1:016d}" in document.error.message
    assert "1ZSECOND" in document.error.message
    assert f"tally void {job_id} 1 --number 1ZSECOND" in document.error.action
    assert [label.tracking_numbers for label in document.second_labels] == [("1ZSECOND",)]
    counted = await job(database, job_id)
    assert (counted.rows.second_labels, counted.cost) == (1, Money(amount="18.20"))


async def test_a_second_label_that_is_told_again_raises_no_second_alarm(database: Database) -> None:
    job_id = await completed(database)
    await second_label(database, job_id)
    step = await second_label(database, job_id)
    assert (step.alarm, step.entered) == (False, None)
    assert len((await row(database, job_id, 1)).second_labels) == 1


async def test_a_running_job_with_a_second_label_ends_with_warnings(database: Database) -> None:
    job_id = await started(database, rows=1)
    await record(database, shipped(job_id, 1))
    assert (await second_label(database, job_id)).entered is None
    await written(database, job_id, 1)
    assert (await checked(database, job_id)).entered is JobStatus.COMPLETED_WITH_WARNINGS


async def test_voiding_the_second_label_leaves_the_row_shipped_and_the_job_without_warnings(database: Database) -> None:
    job_id = await completed(database)
    await second_label(database, job_id)
    step = await database.write(voids.order_second_void, job_id, 1, "1ZSECOND", "ann", NOW)
    assert [void.shipment_id for void in step.voids] == ["1ZSECOND"]
    assert (await job(database, job_id)).rows.voiding == 1
    assert await database.read(voids.voids_waiting, NOW + timedelta(seconds=1), 10) == list(step.voids)
    assert (await ended(database, job_id, 1, number="1ZSECOND")).entered is JobStatus.COMPLETED
    document = await row(database, job_id, 1)
    assert (document.status, document.error, document.tracking_numbers) == (RowStatus.SHIPPED, None, (f"1Z{1:016d}",))
    assert (await job(database, job_id)).rows.second_labels == 0


async def test_a_second_label_that_is_not_voided_keeps_its_warning(database: Database) -> None:
    job_id = await completed(database)
    await second_label(database, job_id)
    await database.write(voids.order_second_void, job_id, 1, "1ZSECOND", "ann", NOW)
    await ended(database, job_id, 1, number="1ZSECOND", error=REFUSED)
    assert (await row(database, job_id, 1)).error is not None
    assert (await job(database, job_id)).status is JobStatus.COMPLETED_WITH_WARNINGS


async def test_only_a_number_known_as_a_second_label_is_voided_by_its_number(database: Database) -> None:
    job_id = await completed(database)
    for number in ("1ZELSE", f"1Z{1:016d}"):
        with pytest.raises(TallyError, match="E-4021"):
            await database.write(voids.order_second_void, job_id, 1, number, "ann", NOW)


async def test_a_void_of_a_shipment_nobody_knows_is_an_error(database: Database) -> None:
    job_id = await completed(database)
    with pytest.raises(TallyError, match="E-4004"):
        await ended(database, job_id, 1, number="1ZELSE")
