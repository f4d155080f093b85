"""The price guard in the job database: a job pauses once at a row that was charged more than its preview said."""

from decimal import Decimal

import pytest

from services.coordinator.database import outcomes, previewing, steps
from services.coordinator.database.engine import Database
from services.coordinator.database.step import Step
from services.coordinator.pricing.price import Price
from services.coordinator.pricing.price_guard import PriceGuard
from shared.contracts.ledger import Outcome
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.shipping import Money
from tests.integration.job_steps import ISSUE, NOW, failed, job, row, shipped, take_in

GUARD = PriceGuard(Decimal("0.10"))


async def started(database: Database, *prices: str, estimated: bool = False) -> str:
    """A running job of as many rows, rated at these prices; each of its labels costs 9.10."""
    job_id = await take_in(database, "orders", len(prices))
    priced = [
        (number, Price(Money(amount=Decimal(price)), estimated=estimated))
        for number, price in enumerate(prices, start=1)
    ]
    await database.write(previewing.note_prices, job_id, "intake", priced, NOW)
    await database.write(steps.start, job_id, "intake", "ann", NOW, ISSUE)
    return job_id


async def record(database: Database, outcome: Outcome) -> Step:
    return await database.write(outcomes.record_outcome, outcome, NOW, ISSUE, GUARD)


async def test_a_job_pauses_at_a_row_that_is_charged_more_and_its_label_and_write_back_stand(
    database: Database,
) -> None:
    job_id = await started(database, "8.00", "9.10")
    step = await record(database, shipped(job_id, 1))
    assert (step.ship, step.entered) == (None, JobStatus.PAUSED)
    assert step.writeback is not None
    found, first = await job(database, job_id), await row(database, job_id, 1)
    assert (found.status, found.cursor) == (JobStatus.PAUSED, 1)
    assert found.error is not None
    assert (found.error.code, found.error.row) == ("E-3040", 1)
    assert found.error.message == "Row 1 was charged 9.10 USD, where its preview said 8.00 USD."
    assert (first.status, first.write_back.status) == (RowStatus.SHIPPED, WriteBackStatus.DUE)
    assert (await row(database, job_id, 2)).status is RowStatus.PENDING


async def test_a_job_that_is_resumed_goes_on_and_does_not_stop_at_that_row_again(database: Database) -> None:
    job_id = await started(database, "8.00", "9.10", "8.00")
    await record(database, shipped(job_id, 1))
    step = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.row_number == 2
    again = await record(database, shipped(job_id, 1))
    assert again.entered is None
    assert again.ship == step.ship
    found = await job(database, job_id)
    assert (found.status, found.error) == (JobStatus.RUNNING, None)
    step = await record(database, shipped(job_id, 2))
    assert step.ship is not None
    assert (await record(database, shipped(job_id, 3))).entered is JobStatus.PAUSED


async def test_the_news_again_of_a_row_that_paused_its_job_starts_nothing(database: Database) -> None:
    job_id = await started(database, "8.00", "9.10")
    await record(database, shipped(job_id, 1))
    step = await record(database, shipped(job_id, 1))
    assert (step.ship, step.entered) == (None, None)
    assert step.writeback is not None
    assert (await job(database, job_id)).status is JobStatus.PAUSED


@pytest.mark.parametrize(("price", "estimated"), [("8.28", False), ("8.00", True)])
async def test_a_charge_within_the_share_or_against_an_estimate_pauses_nothing(
    database: Database, price: str, *, estimated: bool
) -> None:
    job_id = await started(database, price, "9.10", estimated=estimated)
    step = await record(database, shipped(job_id, 1))
    assert step.ship is not None
    assert (await job(database, job_id)).status is JobStatus.RUNNING


async def test_a_row_without_a_price_pauses_nothing(database: Database) -> None:
    job_id = await take_in(database, "orders", 2)
    await database.write(steps.start, job_id, "intake", "ann", NOW, ISSUE)
    assert (await record(database, shipped(job_id, 1))).ship is not None


async def test_a_job_that_a_person_paused_says_what_the_row_in_flight_cost(database: Database) -> None:
    job_id = await started(database, "8.00", "9.10")
    await database.write(steps.halt, job_id, JobStatus.PAUSED, "ann", NOW)
    assert (await record(database, shipped(job_id, 1))).entered is None
    found = await job(database, job_id)
    assert found.error is not None
    assert (found.status, found.error.code) == (JobStatus.PAUSED, "E-3040")


async def test_a_cancelled_job_stays_so(database: Database) -> None:
    job_id = await started(database, "8.00", "9.10")
    await database.write(steps.halt, job_id, JobStatus.CANCELLED, "ann", NOW)
    await record(database, shipped(job_id, 1))
    found = await job(database, job_id)
    assert (found.status, found.error) == (JobStatus.CANCELLED, None)


async def test_the_last_row_of_a_job_pauses_it_too_and_resume_ends_it(database: Database) -> None:
    job_id = await started(database, "8.00")
    assert (await record(database, shipped(job_id, 1))).entered is JobStatus.PAUSED
    step = await database.write(steps.resume, job_id, "ann", NOW, ISSUE)
    assert step.ship is None
    found = await job(database, job_id)
    assert (found.status, found.cursor, found.error) == (JobStatus.RUNNING, 1, None)


async def test_a_failed_row_is_as_it_was(database: Database) -> None:
    job_id = await started(database, "8.00", "9.10")
    await record(database, failed(job_id, 1))
    assert (await job(database, job_id)).status is JobStatus.FAILED
