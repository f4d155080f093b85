"""A job's report from the job database: what was charged for what, and what is left open."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.coordinator.database import previewing, reports, steps
from services.coordinator.database.engine import Database
from services.coordinator.pricing.price import Price
from shared.contracts.states import RowStatus
from shared.errors import JOB_NOT_FOUND, TallyError
from shared.shipping import Money
from tests.integration.job_steps import (
    ERROR,
    ISSUE,
    NOW,
    failed,
    in_doubt,
    record,
    shipped,
    started,
    take_in,
    written,
)


def dollars(amount: str) -> Money:
    return Money(amount=Decimal(amount))


async def sell(database: Database, job_id: str, number: int, cost: str | None, ms: float | None = None) -> None:
    sold = {"cost": None if cost is None else dollars(cost), "carrier_ms": ms}
    await record(database, shipped(job_id, number).model_copy(update=sold))


async def test_charges_add_up_by_zone_and_are_compared_with_the_estimates_there_are(database: Database) -> None:
    job_id = await take_in(database, "orders", 6)
    prices = [
        Price(dollars("9.10"), zone="2"),
        Price(dollars("9.10"), zone="5"),
        Price(dollars("9.10"), zone="5"),
        Price(dollars("8.00"), estimated=True),
        Price(error=ERROR),
        Price(dollars("9.10"), zone="5"),
    ]
    await database.write(previewing.note_prices, job_id, "intake", list(enumerate(prices, start=1)), NOW)
    await database.write(steps.start, job_id, "intake", "ann", NOW, ISSUE)
    for number, cost in enumerate(("9.10", "9.15", "9.00", "10.10", "9.10", None), start=1):
        await sell(database, job_id, number, cost, ms=100.4 * number)

    found = await database.read(reports.show_report, job_id)
    assert [(cost.zone, cost.rows, cost.compared, cost.without_cost) for cost in found.costs] == [
        ("", 2, 1, 0),
        ("2", 1, 1, 0),
        ("5", 3, 2, 1),
    ]
    assert [(str(cost.cost), str(cost.estimate), str(cost.charge)) for cost in found.costs] == [
        ("19.20 USD", "8.00 USD", "10.10 USD"),
        ("9.10 USD", "9.10 USD", "9.10 USD"),
        ("18.15 USD", "18.20 USD", "18.15 USD"),
    ]
    assert Money.total(cost.cost for cost in found.costs) == found.job.cost
    assert (found.charged_more, found.charged_less) == (2, 1)
    assert [(row.row_number, row.estimated) for row in found.charges] == [(4, True), (3, False), (2, False)]
    assert (found.timed, found.median_ms, found.longest_ms) == (6, 402, 602)
    assert [row.row_number for row in found.slowest] == [6, 5, 4, 3, 2, 1]


async def test_a_second_label_counts_and_a_voided_one_does_not(database: Database) -> None:
    job_id = await started(database, rows=2)
    await sell(database, job_id, 1, "9.10")
    await sell(database, job_id, 2, "9.10")
    await record(database, shipped(job_id, 2, number="1ZOTHER"))
    found = await database.read(reports.show_report, job_id)
    (cost,) = found.costs
    assert (cost.rows, cost.second_labels, cost.cost, found.job.cost) == (2, 1, dollars("27.30"), dollars("27.30"))
    assert cost.compared == 0


async def test_rows_that_failed_are_in_doubt_or_are_not_written_back_are_listed(database: Database) -> None:
    job_id = await started(database)
    await sell(database, job_id, 1, "9.10")
    await written(database, job_id, 1, error=ERROR)
    await record(database, failed(job_id, 2))
    found = await database.read(reports.show_report, job_id)
    assert [(row.row_number, row.status) for row in found.unsettled] == [(2, RowStatus.FAILED)]
    assert found.unsettled[0].error is not None
    assert [(row.row_number, row.error) for row in found.unwritten] == [(1, ERROR)]
    doubtful = await started(database, "doubtful", fingerprint="other")
    await record(database, in_doubt(doubtful, 1))
    found = await database.read(reports.show_report, doubtful)
    assert [(row.row_number, row.status) for row in found.unsettled] == [(1, RowStatus.IN_DOUBT)]
    assert (found.costs, found.timed, found.median_ms) == ((), 0, None)


async def test_there_is_no_report_of_a_job_that_there_is_not(database: Database) -> None:
    with pytest.raises(TallyError) as caught:
        await database.read(reports.show_report, "none")
    assert caught.value.kind is JOB_NOT_FOUND
