"""The job database's steps: each is one transaction, repeatable, and moves a job by one row."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select

from services.coordinator.database import intake, migration, queries, steps
from services.coordinator.database.commands import Issue
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow
from services.coordinator.database.statements import AnyRow
from services.coordinator.database.tables import attempts, audit, jobs, metadata, reservations
from services.coordinator.identity import request_hash
from services.coordinator.records.audit import GENESIS, AuditEntry
from shared.contracts.ledger import Evidence
from shared.contracts.lookups import ShipmentSought
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobMode, JobStatus, RowStatus, WriteBackStatus
from shared.errors import TallyError
from shared.shipping import Money
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import (
    ERROR,
    INSTALLATION,
    ISSUE,
    NOW,
    checked,
    failed,
    in_doubt,
    job,
    record,
    row,
    shipped,
    started,
    take_in,
    written,
)


async def test_the_migrations_make_exactly_the_tables_the_code_knows(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert await database.read(differences) == []


async def test_the_migrations_go_down_and_up_again(database: Database) -> None:
    await database.write(migration.downgrade, "base")
    await database.write(migration.upgrade)
    assert await database.read(queries.list_jobs, None, 10, None) == []


async def test_the_installation_keeps_its_id(database: Database) -> None:
    first = await database.write(migration.installation_id)
    assert await database.write(migration.installation_id) == first


async def test_starting_a_job_puts_its_first_row_in_flight_and_asks_for_its_command(database: Database) -> None:
    job_id = await take_in(database, "orders")
    step = await database.write(steps.start, job_id, "intake", "ann", NOW, ISSUE)
    assert step.ship is not None
    assert (step.ship.row_number, step.ship.attempt, step.ship.epoch) == (1, 1, "epoch-1")
    assert step.entered is JobStatus.RUNNING
    assert (await row(database, job_id, 1)).status is RowStatus.IN_FLIGHT


async def test_an_outcome_advances_the_cursor_and_starts_the_next_row_in_the_same_step(database: Database) -> None:
    job_id = await started(database)
    step = await record(database, shipped(job_id, 1))
    assert step.ship is not None
    assert step.ship.row_number == 2
    assert step.writeback is not None
    assert (step.writeback.row_number, step.writeback.row_version) == (1, 1)
    assert (await job(database, job_id)).cursor == 1


async def test_the_same_outcome_again_changes_nothing_and_asks_for_the_same_commands(database: Database) -> None:
    job_id = await started(database)
    first = await record(database, shipped(job_id, 1))
    before = await job(database, job_id)
    again = await record(database, shipped(job_id, 1))
    assert (again.ship, again.writeback) == (first.ship, first.writeback)
    assert await job(database, job_id) == before


async def test_a_failed_row_fails_its_job_and_starts_nothing(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    step = await record(database, failed(job_id, 2))
    assert step.ship is None
    document = await job(database, job_id)
    assert document.status is JobStatus.FAILED
    assert document.error is not None
    assert (document.error.code, document.error.row, document.cursor) == ("E-3001", 2, 1)
    assert (await row(database, job_id, 3)).status is RowStatus.PENDING


async def test_resume_takes_up_at_the_failed_row_with_a_new_attempt(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    step = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert (step.ship.row_number, step.ship.attempt) == (1, 2)
    assert (await job(database, job_id)).error is None


async def test_a_failure_of_an_older_attempt_does_not_fail_the_present_one(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    await record(database, failed(job_id, 1, attempt=1))
    assert (await job(database, job_id)).status is JobStatus.RUNNING


async def test_a_late_sale_by_an_older_attempt_is_recorded_and_its_second_attempts_sale_raises_the_alarm(
    database: Database,
) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    late = await record(database, shipped(job_id, 1, number="1ZLATE"))
    assert late.writeback is not None
    assert (await row(database, job_id, 1)).tracking_numbers == ("1ZLATE",)
    assert (await record(database, shipped(job_id, 1, attempt=2, number="1ZOTHER"))).alarm
    assert (await row(database, job_id, 1)).tracking_numbers == ("1ZLATE",)


async def test_a_late_sale_of_an_order_that_another_job_bought_meanwhile_raises_the_alarm(database: Database) -> None:
    first = await started(database, "first", rows=1)
    await record(database, in_doubt(first, 1))
    await database.write(steps.resolve, first, 1, steps.Finding(None, "ann", "mistaken"), NOW)
    second = await started(database, "second", rows=1)
    await record(database, shipped(second, 1, number="1ZSECOND"))
    step = await record(database, shipped(first, 1, number="1ZFIRST"))
    assert step.alarm
    told = (await row(database, first, 1)).error
    assert told is not None
    assert told.code == "E-3022"
    assert second in told.message
    assert not (await record(database, shipped(first, 1, number="1ZFIRST"))).alarm


async def test_a_late_sale_holds_its_order_against_other_jobs_again(database: Database) -> None:
    first = await started(database, "first", rows=1)
    await record(database, failed(first, 1))
    await record(database, shipped(first, 1))
    second = await take_in(database, "second", rows=1)
    step = await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)
    assert step.ship is None


async def test_resume_goes_on_behind_a_failed_row_that_was_sold_after_all(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    await record(database, shipped(job_id, 1))
    step = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.row_number == 2


async def test_a_row_in_doubt_fails_its_job_and_keeps_it_from_being_resumed(database: Database) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    assert (await job(database, job_id)).rows.in_doubt == 1
    assert (await row(database, job_id, 1)).evidence[0].answer == "not found"
    with pytest.raises(TallyError, match="E-3010"):
        await database.write(steps.resume, job_id, "ann", NOW, ISSUE)


async def test_a_row_in_doubt_that_was_shipped_after_all_is_written_back_and_the_job_goes_on_behind_it(
    database: Database,
) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    step = await database.write(steps.resolve, job_id, 1, steps.Finding("1ZFOUND", "ann", "invoice"), NOW)
    assert step.writeback is not None
    assert step.writeback.values.tracking_number == "1ZFOUND"
    resumed = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert resumed.ship is not None
    assert resumed.ship.row_number == 2


async def test_a_row_in_doubt_that_was_not_shipped_is_tried_again_by_resume(database: Database) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    await database.write(steps.resolve, job_id, 1, steps.Finding(None, "ann", "called the carrier"), NOW)
    resumed = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert resumed.ship is not None
    assert (resumed.ship.row_number, resumed.ship.attempt) == (1, 2)


async def test_only_a_row_in_doubt_can_be_resolved(database: Database) -> None:
    job_id = await started(database)
    with pytest.raises(TallyError, match="E-4008"):
        await database.write(steps.resolve, job_id, 1, steps.Finding(None, "ann", ""), NOW)
    with pytest.raises(TallyError, match="E-4004"):
        await database.write(steps.resolve, job_id, 99, steps.Finding(None, "ann", ""), NOW)


async def test_the_number_of_another_row_does_not_resolve_a_row(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1, number="1ZFIRST"))
    await record(database, in_doubt(job_id, 2))
    with pytest.raises(TallyError, match="1ZFIRST is the label of row 1"):
        await database.write(steps.resolve, job_id, 2, steps.Finding("1ZFIRST", "ann", ""), NOW)
    assert (await row(database, job_id, 2)).status is RowStatus.IN_DOUBT
    await database.write(steps.resolve, job_id, 2, steps.Finding("1ZFIRS_", "ann", ""), NOW)
    assert (await row(database, job_id, 2)).tracking_numbers == ("1ZFIRS_",)


async def test_the_number_of_a_second_label_does_not_resolve_another_row(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1, number="1ZFIRST"))
    await record(database, shipped(job_id, 1, number="1ZSECOND"))
    await record(database, in_doubt(job_id, 2))
    with pytest.raises(TallyError, match="E-4026"):
        await database.write(steps.resolve, job_id, 2, steps.Finding("1ZSECOND", "ann", ""), NOW)


async def test_a_look_up_of_an_earlier_doubt_does_not_stand_for_the_last_one_of_a_later_doubt(
    database: Database,
) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    (asked,) = await database.read(queries.doubts_to_look_up, NOW + timedelta(minutes=1))
    await database.write(steps.resolve, job_id, 1, steps.Finding(None, "ann", ""), NOW)
    await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    await record(database, in_doubt(job_id, 1).model_copy(update={"attempt": 2}))
    late = ShipmentSought(evidence=(Evidence(at=NOW, asked="the first doubt", answer="not found"),))
    await database.write(steps.record_look_up, job_id, 1, asked.attempt, late, NOW)
    (due,) = await database.read(queries.doubts_to_look_up, NOW + timedelta(minutes=1))
    assert due.attempt == 2
    assert len((await row(database, job_id, 1)).evidence) == 1
    await database.write(steps.record_look_up, job_id, 1, due.attempt, late, NOW)
    assert await database.read(queries.doubts_to_look_up, NOW + timedelta(minutes=1)) == []
    assert len((await row(database, job_id, 1)).evidence) == 2


async def test_a_paused_job_records_the_row_in_flight_and_starts_no_other(database: Database) -> None:
    job_id = await started(database)
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    step = await record(database, shipped(job_id, 1))
    assert step.ship is None
    assert step.writeback is not None
    resumed = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert resumed.ship is not None
    assert resumed.ship.row_number == 2


async def test_resuming_a_job_whose_row_is_still_in_flight_mints_no_new_attempt(database: Database) -> None:
    job_id = await started(database)
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    step = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert (step.ship.row_number, step.ship.attempt) == (1, 1)


async def test_a_job_completes_when_its_last_number_is_written_back(database: Database) -> None:
    job_id = await started(database, rows=1)
    await record(database, shipped(job_id, 1))
    assert (await job(database, job_id)).status is JobStatus.RUNNING
    step = await written(database, job_id, 1)
    assert (step.entered, step.check) == (None, True)
    assert (await checked(database, job_id)).entered is JobStatus.COMPLETED
    assert (await checked(database, job_id)).entered is None


async def test_a_write_back_that_failed_leaves_the_row_shipped_and_the_job_completed_with_warnings(
    database: Database,
) -> None:
    job_id = await started(database, rows=1)
    await record(database, shipped(job_id, 1))
    await written(database, job_id, 1, error=ERROR)
    assert (await checked(database, job_id)).entered is None
    step = await written(database, job_id, 1, version=2, error=ERROR)
    assert step.entered is JobStatus.COMPLETED_WITH_WARNINGS
    document = await row(database, job_id, 1)
    assert (document.status, document.write_back.status) == (RowStatus.SHIPPED, WriteBackStatus.FAILED)


async def test_what_could_not_be_written_is_tried_once_more_at_the_end_of_the_job(database: Database) -> None:
    job_id = await started(database, rows=2)
    for number in (1, 2):
        await record(database, shipped(job_id, number))
    await written(database, job_id, 1, error=ERROR)
    assert (await written(database, job_id, 2)).check
    step = await checked(database, job_id)
    assert [(again.row_number, again.row_version) for again in step.writebacks] == [(1, 2)]
    assert step.writebacks[0].values.tracking_number == f"1Z{1:016d}"
    await written(database, job_id, 1, error=ERROR)  # the report of the first try comes again
    document = await row(database, job_id, 1)
    assert (document.write_back.status, document.write_back.error) == (WriteBackStatus.DUE, None)
    assert (await written(database, job_id, 1, version=2)).entered is JobStatus.COMPLETED


async def test_what_is_missing_in_the_source_at_the_end_is_written_again(database: Database) -> None:
    job_id = await started(database, rows=3)
    for number in (1, 2, 3):
        await record(database, shipped(job_id, number))
        await written(database, job_id, number)
    step = await checked(database, job_id, 1, 3)
    assert step.entered is None
    assert [(again.row_number, again.row_version) for again in step.writebacks] == [(1, 2), (3, 2)]
    counts = (await job(database, job_id)).write_back
    assert (counts.due, counts.written) == (2, 1)
    await written(database, job_id, 1, version=2)
    assert (await written(database, job_id, 3, version=2)).entered is JobStatus.COMPLETED


async def test_a_job_that_stopped_before_its_end_is_not_checked(database: Database) -> None:
    job_id = await started(database, rows=2)
    await record(database, shipped(job_id, 1))
    assert not (await written(database, job_id, 1)).check
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    assert (await checked(database, job_id, 1)).writebacks == ()
    assert (await row(database, job_id, 1)).write_back.status is WriteBackStatus.WRITTEN


async def test_an_older_version_of_a_write_back_settles_nothing(database: Database) -> None:
    job_id = await started(database, rows=1)
    await record(database, shipped(job_id, 1))
    await written(database, job_id, 1, version=0)
    assert (await row(database, job_id, 1)).write_back.status is WriteBackStatus.DUE


async def test_an_order_that_another_job_shipped_is_skipped(database: Database) -> None:
    first = await started(database, "first", rows=1)
    await record(database, shipped(first, 1))
    second = await take_in(database, "second", rows=2)
    step = await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.row_number == 2
    document = await row(database, second, 1)
    assert document.status is RowStatus.SKIPPED
    assert document.error is not None
    assert first in document.error.message


async def test_an_order_in_flight_in_another_job_fails_the_second_job_instead_of_being_bought_twice(
    database: Database,
) -> None:
    await started(database, "first", rows=1)
    second = await take_in(database, "second", rows=1)
    step = await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)
    assert step.ship is None
    assert step.entered is JobStatus.FAILED
    error = (await job(database, second)).error
    assert error is not None
    assert error.code == "E-4006"


async def test_an_order_that_failed_elsewhere_may_be_bought(database: Database) -> None:
    first = await started(database, "first", rows=1)
    await record(database, failed(first, 1))
    second = await take_in(database, "second", rows=1)
    assert (await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)).ship is not None


async def test_a_job_of_orders_that_were_all_shipped_before_completes_at_once(database: Database) -> None:
    first = await started(database, "first", rows=1)
    await record(database, shipped(first, 1))
    second = await take_in(database, "second", rows=1)
    step = await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)
    assert step.entered is JobStatus.COMPLETED
    assert (await job(database, second)).rows.skipped == 1


async def test_resume_skips_a_failed_row_that_was_corrected_and_shipped_by_a_later_job(database: Database) -> None:
    first = await started(database, "first", rows=2)
    await record(database, failed(first, 1))
    second = await take_in(database, "second", rows=1, fingerprint="corrected", at=NOW + timedelta(minutes=1))
    await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)
    await record(database, shipped(second, 1))
    step = await database.write(steps.resume, first, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.row_number == 2
    assert (await row(database, first, 1)).status is RowStatus.SKIPPED


async def test_resume_is_refused_while_a_corrected_row_of_a_later_job_is_not_settled(database: Database) -> None:
    first = await started(database, "first", rows=2)
    await record(database, failed(first, 1))
    second = await take_in(database, "second", rows=1, fingerprint="corrected", at=NOW + timedelta(minutes=1))
    await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)
    with pytest.raises(TallyError, match="E-4006"):
        await database.write(steps.resume, first, "ann", NOW, ISSUE)
    await record(database, in_doubt(second, 1))
    with pytest.raises(TallyError, match="E-4006"):
        await database.write(steps.resume, first, "ann", NOW, ISSUE)
    assert (await job(database, first)).status is JobStatus.FAILED
    await database.write(steps.resolve, second, 1, steps.Finding("1ZFOUND", "ann", ""), NOW)
    step = await database.write(steps.resume, first, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.row_number == 2


async def test_what_earlier_jobs_shipped_is_known_by_its_reservation(database: Database) -> None:
    job_id = await started(database, rows=2)
    await record(database, shipped(job_id, 1))

    def keys(connection: Connection) -> list[str]:
        return list(connection.execute(select(reservations.c.reservation_key)).scalars())

    known = await database.read(queries.shipped_orders, await database.read(keys))
    assert [before.job_id for before in known.values()] == [job_id]


async def test_reship_buys_again_what_an_earlier_job_shipped(database: Database) -> None:
    first = await started(database, "first", rows=1)
    await record(database, shipped(first, 1))
    second = await take_in(database, "second", rows=1, reship=True)
    assert (await database.write(steps.start, second, "intake", "ann", NOW, ISSUE)).ship is not None


async def test_the_same_request_id_is_the_same_job_and_another_body_is_refused(database: Database) -> None:
    job_id = await take_in(database, "orders")
    request = JobRequest(request_id="orders", source=CsvSource(path="orders.csv"), mode=JobMode.AUTO)
    admitted = await database.write(intake.admit, job_id, request, request_hash(request), NOW)
    assert not admitted.created
    other = request.model_copy(update={"where": "state = 'CA'"})
    with pytest.raises(TallyError, match="E-2021"):
        await database.write(intake.admit, job_id, other, request_hash(other), NOW)


async def test_an_intake_that_froze_cannot_touch_the_rows_of_the_one_that_went_on(database: Database) -> None:
    job_id = await take_in(database, "orders", rows=2)
    source = CsvSource(path="orders.csv")
    await database.write(intake.begin_intake, job_id, "second", source, NOW)
    row = NewRow(1, "1", "sum", "print-1", SHIPMENT)
    with pytest.raises(intake.SupersededError):
        await database.write(intake.add_rows, job_id, "intake", INSTALLATION, 1, [row], NOW)
    await database.write(intake.add_rows, job_id, "second", INSTALLATION, 1, [row], NOW)
    with pytest.raises(intake.SupersededError):
        await database.write(intake.finish_intake, job_id, "intake", 2, "mapping", NOW)
    await database.write(intake.finish_intake, job_id, "second", 1, "mapping", NOW)
    await database.write(steps.start, job_id, "second", "ann", NOW, ISSUE)
    with pytest.raises(intake.SupersededError):
        await database.write(intake.begin_intake, job_id, "third", source, NOW)
    with pytest.raises(intake.SupersededError):
        await database.write(intake.fail_intake, job_id, ERROR, NOW)
    assert (await row_count(database, job_id)) == 1


async def row_count(database: Database, job_id: str) -> int:
    return len(await database.read(queries.list_rows, job_id, None, 0, 100))


async def test_only_a_previewed_job_can_be_approved_or_rejected(database: Database) -> None:
    pending = await take_in(database, "pending")
    running = await started(database, "running", fingerprint="other")
    for job_id in (pending, running):
        with pytest.raises(TallyError, match="E-4005"):
            await database.write(steps.approve, job_id, "ann", NOW, ISSUE)
        with pytest.raises(TallyError, match="E-4005"):
            await database.write(steps.reject, job_id, "ann", NOW)
    assert (await row(database, running, 1)).attempt == 1
    await database.write(intake.await_approval, pending, "intake", NOW)
    assert (await database.write(steps.approve, pending, "ann", NOW, ISSUE)).ship is not None


async def test_a_job_that_never_ran_cannot_be_resumed(database: Database) -> None:
    job_id = await take_in(database, "orders")
    await database.write(intake.fail_intake, job_id, ERROR, NOW)
    with pytest.raises(TallyError, match="E-4005"):
        await database.write(steps.resume, job_id, "ann", NOW, ISSUE)


async def test_that_a_row_is_to_be_looked_up_is_kept_until_its_outcome(database: Database) -> None:
    job_id = await started(database)
    later = Issue("epoch-2", ISSUE.lifetime)
    await database.write(steps.reissue, job_id, 1, ISSUE.epoch, NOW, later, recover=True)
    again = await database.write(steps.reissue, job_id, 1, later.epoch, NOW, later, recover=False)
    assert again.ship is not None
    assert again.ship.recover


async def test_resuming_a_job_whose_ledger_was_lost_asks_for_a_look_up(database: Database) -> None:
    job_id = await started(database)
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    step = await database.write(steps.resume, job_id, "ann", NOW, Issue("epoch-2", ISSUE.lifetime))
    assert step.ship is not None
    assert step.ship.recover


async def test_an_outcome_for_a_row_that_does_not_exist_names_it(database: Database) -> None:
    job_id = await started(database)
    with pytest.raises(TallyError, match="E-4004"):
        await record(database, shipped(job_id, 99))


async def test_a_reissued_command_carries_the_present_epoch_and_asks_for_a_look_up(database: Database) -> None:
    job_id = await started(database)
    later = Issue("epoch-2", ISSUE.lifetime)
    step = await database.write(steps.reissue, job_id, 1, ISSUE.epoch, NOW, later, recover=True)
    assert step.ship is not None
    assert (step.ship.epoch, step.ship.recover, step.ship.attempt) == ("epoch-2", True, 1)


async def test_money_is_summed_exactly(database: Database) -> None:
    job_id = await started(database, rows=3)
    for number in (1, 2, 3):
        await record(database, shipped(job_id, number))
    assert (await job(database, job_id)).cost == Money(amount=Decimal("27.30"))


async def test_every_attempt_is_kept_with_its_outcome(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    await record(database, shipped(job_id, 1, attempt=2))

    def ended(connection: Connection) -> list[tuple[Any, ...]]:
        query = select(attempts.c.attempt, attempts.c.outcome).where(attempts.c.row_number == 1)
        return [tuple(found) for found in connection.execute(query.order_by(attempts.c.attempt))]

    assert await database.read(ended) == [(1, "failed"), (2, "shipped")]


async def test_the_audit_trail_is_an_unbroken_chain_with_its_head_in_the_job(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await record(database, failed(job_id, 2))

    def chain(connection: Connection) -> tuple[Sequence[AnyRow], str | None]:
        entries = connection.execute(select(audit).where(audit.c.job_id == job_id).order_by(audit.c.seq)).all()
        head = connection.scalar(select(jobs.c.audit_head).where(jobs.c.job_id == job_id))
        return entries, head

    entries, head = await database.read(chain)
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        made = AuditEntry(
            entry.job_id, number, entry.at, entry.actor, entry.action, entry.row_number, entry.detail, previous
        )
        assert (entry.seq, entry.previous_hash, entry.hash) == (number, previous, made.hash)
        previous = entry.hash
    assert head == previous
    assert [entry.action for entry in entries][-3:] == ["row.in_flight", "row.failed", "job.failed"]


async def test_only_settled_orders_hold_reservations(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await record(database, failed(job_id, 2))

    def held(connection: Connection) -> list[int]:
        return [found.row_number for found in connection.execute(select(reservations))]

    assert await database.read(held) == [1]


async def test_a_row_that_was_ordered_again_meanwhile_is_not_ordered_under_an_older_epoch(database: Database) -> None:
    job_id = await started(database)
    later = Issue("epoch-2", timedelta(minutes=5))
    await database.write(steps.reissue, job_id, 1, ISSUE.epoch, NOW, later, recover=False)
    late = await database.write(steps.reissue, job_id, 1, ISSUE.epoch, NOW, ISSUE, recover=False)
    assert late.ship is None


async def test_a_failure_of_a_lost_ledger_does_not_fail_the_row_that_was_ordered_again(database: Database) -> None:
    job_id = await started(database)
    later = Issue("epoch-2", timedelta(minutes=5))
    await database.write(steps.reissue, job_id, 1, ISSUE.epoch, NOW, later, recover=False)
    await record(database, failed(job_id, 1))
    assert (await row(database, job_id, 1)).status is RowStatus.IN_FLIGHT
