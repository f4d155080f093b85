"""A job's rows while they are previewed: services fixed, warnings added, rows that the carrier refuses left out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.coordinator.database import intake, previewing, queries, steps
from services.coordinator.database.engine import Database
from services.coordinator.database.intake import SupersededError
from services.coordinator.pricing.price import NOT_NEGOTIATED, Price
from shared.contracts.states import JobStatus, RowStatus
from shared.contracts.warning import RowWarning, WarningCode
from shared.errors import CARRIER_REJECTED, LANE_NOT_SERVED, TallyError
from shared.shipping import Money, ServiceLevel
from tests.integration.job_steps import ISSUE, NOW, job, row, take_in

PRICE = Price(Money(amount=Decimal("9.10")))
NO_LANE = Price(error=TallyError(LANE_NOT_SERVED, carrier_code="111210", carrier_message="No service").body)
UNCLEAR = Price(error=TallyError(CARRIER_REJECTED, carrier_code="110003", carrier_message="No").body)


async def previewed(database: Database, *prices: Price) -> str:
    """A job that awaits approval, its rows priced so."""
    job_id = await take_in(database, "orders", len(prices))
    await database.write(previewing.note_prices, job_id, "intake", list(enumerate(prices, start=1)), NOW)
    return job_id


async def test_a_row_ships_by_the_service_that_was_fixed_for_it(database: Database) -> None:
    job_id = await take_in(database, "orders", 2)
    first, second = await database.read(previewing.rows_to_ship, job_id, 0, 10)
    chosen = Price(Money(amount=Decimal("31.40")), service=ServiceLevel.SECOND_DAY_AIR)
    await database.write(previewing.fix_services, job_id, "intake", [(first, chosen), (second, NO_LANE)], NOW)
    shown = await row(database, job_id, 1)
    assert (shown.service, shown.estimate, shown.estimated) == ("2nd_day_air", chosen.cost, False)
    again = await database.read(previewing.rows_to_ship, job_id, 0, 10)
    assert [each.shipment.service for each in again] == [ServiceLevel.SECOND_DAY_AIR, second.shipment.service]
    assert [each.is_priced for each in again] == [True, True]
    step = await database.write(steps.start, job_id, "intake", "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.shipment.service is ServiceLevel.SECOND_DAY_AIR


async def test_warnings_and_notes_are_added_to_those_there_are(database: Database) -> None:
    job_id = await take_in(database, "orders", 2)
    residential = RowWarning(code=WarningCode.RESIDENTIAL, message="It is a home.", field="residential")
    for warning in (NOT_NEGOTIATED, residential):
        await database.write(previewing.note_warnings, job_id, "intake", [(2, (warning,))], NOW)
        await database.write(previewing.add_notes, job_id, "intake", [warning.message], NOW)
    assert (await row(database, job_id, 1)).warnings == ()
    assert (await row(database, job_id, 2)).warnings == (NOT_NEGOTIATED, residential)
    found = await job(database, job_id)
    assert (found.notes, found.rows.warned) == ((NOT_NEGOTIATED.message, residential.message), 1)


async def test_a_job_with_rows_that_cannot_ship_is_not_approved(database: Database) -> None:
    job_id = await previewed(database, PRICE, NO_LANE, UNCLEAR)
    await database.write(intake.await_approval, job_id, "intake", NOW)
    with pytest.raises(TallyError, match="E-2010: 1 of 3 rows cannot ship") as refused:
        await database.write(steps.approve, job_id, "ann", NOW, ISSUE)
    assert [(error.code, error.row) for error in refused.value.body.details] == [("E-3034", 2)]
    assert (await job(database, job_id)).status is JobStatus.AWAITING_APPROVAL


async def test_a_row_that_cannot_ship_is_left_out_on_request_with_what_the_carrier_said(database: Database) -> None:
    job_id = await previewed(database, NO_LANE, PRICE, UNCLEAR)
    await database.write(previewing.leave_out_refused, job_id, "intake", NOW)
    first = await row(database, job_id, 1)
    assert first.status is RowStatus.SKIPPED
    assert first.error is not None
    assert (first.error.code, first.error.row) == ("E-3034", 1)
    counts = (await job(database, job_id)).rows
    assert (counts.skipped, counts.refused) == (1, 1)
    await database.write(intake.await_approval, job_id, "intake", NOW)
    step = await database.write(steps.approve, job_id, "ann", NOW, ISSUE)
    assert step.ship is not None
    assert step.ship.row_number == 2
    assert await database.read(queries.show_row, job_id, 3)


async def test_an_intake_that_another_has_replaced_changes_nothing(database: Database) -> None:
    job_id = await previewed(database, NO_LANE)
    with pytest.raises(SupersededError):
        await database.write(previewing.note_warnings, job_id, "another", [(1, (NOT_NEGOTIATED,))], NOW)
    with pytest.raises(SupersededError):
        await database.write(previewing.add_notes, job_id, "another", ["note"], NOW)
    with pytest.raises(SupersededError):
        await database.write(previewing.leave_out_refused, job_id, "another", NOW)
    assert (await row(database, job_id, 1)).warnings == ()
