"""A purge in the job database: personal data go, what is counted, charged and hashed stays; what may not go is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Unpack

import pytest
from sqlalchemy import Connection, Row, select, update

from services.coordinator.database import audits, checks, purging, queries, restarting, steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.purging import Removed, hashed_key, without_values, without_words
from services.coordinator.database.restarting import RestartOrder
from services.coordinator.database.step import Step
from services.coordinator.database.tables import attempts, jobs, reservations, rows
from services.coordinator.database.voids import VoidOrder
from services.coordinator.identity import reservation_key
from services.coordinator.records.retention import reason_to_keep
from shared.contracts.source import CsvSource, source_hash
from shared.errors import TallyError
from shared.shipping import Money
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import (
    ISSUE,
    NOW,
    Options,
    checked,
    failed,
    in_doubt,
    record,
    shipped,
    started,
    take_in,
    written,
)

LATER = NOW + timedelta(days=100)
BEFORE = NOW + timedelta(days=10)

KEPT_ROW = {
    "job_id",
    "row_number",
    "source_row",
    "checksum",
    "reservation_key",
    "order_mark",
    "reference",
    "service",
    "status",
    "attempt",
    "epoch",
    "recover",
    "in_flight_at",
    "estimate_amount",
    "estimate_currency",
    "estimated",
    "zone",
    "cost_amount",
    "cost_currency",
    "shipment_id",
    "tracking_numbers",
    "shipped_at",
    "voiding_at",
    "looked_again",
    "write_back",
    "write_back_version",
    "write_back_at",
}
KEPT_JOB = {
    "job_id",
    "request_id",
    "request_hash",
    "restart_of",
    "restarted_as",
    "name",
    "status",
    "mode",
    "on_interrupt",
    "requested_by",
    "source",
    "source_hash",
    "source_checked",
    "source_told",
    "intake",
    "intake_at",
    "rated_at",
    "mapping",
    "settled",
    "total",
    "refused",
    "cursor",
    "created_at",
    "started_at",
    "ended_at",
    "purge_began_at",
    "purged_at",
    "audit_seq",
    "audit_head",
}
KEPT_ATTEMPT = {"job_id", "row_number", "attempt", "started_at", "ended_at", "outcome", "carrier_ms"}


async def completed(database: Database, request_id: str = "orders", rows: int = 2, **options: Unpack[Options]) -> str:
    job_id = await started(database, request_id, rows, **options)
    for number in range(1, rows + 1):
        await record(database, shipped(job_id, number, number=f"1Z{request_id.upper()}{number:04d}"))
        await written(database, job_id, number)
    await checked(database, job_id)
    return job_id


async def purge(database: Database, job_id: str) -> None:
    assert await database.write(purging.begin, job_id, BEFORE, "ann", LATER)
    assert await database.write(purging.strip_rows, job_id, 0, 500) is not None
    await database.write(purging.finish, job_id, Removed(2, 2), "ann", LATER)


async def reasons(database: Database) -> list[str | None]:
    return [reason_to_keep(age, BEFORE) for age in await database.read(purging.ages, BEFORE, 50)]


def test_every_column_is_either_kept_or_stripped() -> None:
    reduced = purging.REDUCED_COLUMNS
    assert {c.name for c in rows.c} == KEPT_ROW | set(purging.STRIPPED_ROW) | reduced["rows"]
    assert {c.name for c in jobs.c} == KEPT_JOB | set(purging.STRIPPED_JOB) | reduced["jobs"]
    assert {c.name for c in attempts.c} == KEPT_ATTEMPT | set(purging.STRIPPED_ATTEMPT)


async def test_nothing_of_the_recipient_is_left(database: Database) -> None:
    job_id = await completed(database)
    await purge(database, job_id)

    def everything(connection: Connection) -> str:
        tables = (rows, jobs, attempts)
        found = [dict(row._mapping) for table in tables for row in connection.execute(select(table))]
        return json.dumps(found, default=str)

    left = await database.read(everything)
    to = SHIPMENT.recipient
    assert [value for value in (to.name, *to.address.lines, to.address.city, to.email, to.phone) if value in left] == []


async def test_counts_costs_and_numbers_stay(database: Database) -> None:
    job_id = await completed(database)
    before = await database.read(queries.show_job, job_id)
    await purge(database, job_id)
    after = await database.read(queries.show_job, job_id)
    assert (after.rows, after.cost, after.write_back, after.name) == (
        before.rows,
        before.cost,
        before.write_back,
        before.name,
    )
    assert after.purged_at == LATER
    row = await database.read(queries.show_row, job_id, 2)
    assert (row.purged, row.recipient, row.destination, row.label) == (True, "", "", None)
    assert (row.tracking_numbers, row.cost) == (("1ZORDERS0002",), Money(amount=before.cost.amount / 2))


async def test_the_same_orders_are_still_known_to_be_shipped(database: Database) -> None:
    job_id = await completed(database)
    await purge(database, job_id)
    key = reservation_key(source_hash(CsvSource(path="orders.csv")), "1", "print-1")
    found = await database.read(queries.shipped_orders, [key])
    assert (found[key].job_id, found[key].tracking_numbers) == (job_id, ("1ZORDERS0001",))
    again = await take_in(database, "again", rows=2)
    step = await database.write(steps.start, again, "intake", "ann", LATER, ISSUE)
    assert step.ship is None
    assert (await database.read(queries.show_job, again)).rows.skipped == 2


async def test_the_trail_of_a_purged_job_is_as_it_was_written_and_says_who_purged(database: Database) -> None:
    job_id = await completed(database)
    await purge(database, job_id)
    entries = await database.read(audits.list_entries, job_id, None, 0, 500)
    assert [(entry.actor, entry.action) for entry in entries[-2:]] == [
        ("ann", "job.purge_began"),
        ("ann", "job.purged"),
    ]
    assert (await database.read(audits.trail_end, job_id)).head == entries[-1].hash
    assert entries[-1].seq in await database.read(audits.anchors_of, job_id)


@pytest.mark.parametrize("action", ["resume", "restart", "void", "write again"])
async def test_nothing_of_a_purged_job_is_done_any_more(database: Database, action: str) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await written(database, job_id, 1)
    await record(database, failed(job_id, 2))
    await database.write(purging.begin, job_id, BEFORE, "ann", LATER)
    calls: dict[str, Callable[[Connection], Step]] = {
        "resume": lambda connection: steps.resume(connection, job_id, "ann", LATER, ISSUE),
        "restart": lambda connection: restarting.restart(connection, job_id, RestartOrder("ann"), LATER),
        "void": lambda connection: voids.order_voids(connection, job_id, VoidOrder((1,), "ann"), LATER),
        "write again": lambda connection: checks.order_again(connection, job_id, [1], "ann", LATER),
    }
    with pytest.raises(TallyError, match="E-4040"):
        await database.write(calls[action])


async def test_a_job_that_runs_is_kept(database: Database) -> None:
    job_id = await started(database)
    assert await reasons(database) == ["it is running"]
    with pytest.raises(TallyError, match="E-4041"):
        await database.write(purging.begin, job_id, BEFORE, "ann", LATER)


async def test_a_job_with_a_row_in_doubt_is_kept(database: Database) -> None:
    job_id = await started(database)
    await record(database, in_doubt(job_id, 1))
    assert await reasons(database) == ["1 row is with the carrier or in doubt"]


async def test_a_job_with_a_number_still_to_be_written_is_kept(database: Database) -> None:
    job_id = await started(database)
    await record(database, shipped(job_id, 1))
    await record(database, failed(job_id, 2))
    assert await reasons(database) == ["1 row is still to be written back"]


async def test_a_job_that_failed_and_is_settled_goes(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    assert await reasons(database) == [None]
    await purge(database, job_id)
    assert await reasons(database) == []
    error = (await database.read(queries.show_row, job_id, 1)).error
    assert error is not None
    assert error.message == "Carrier rejected the shipment."


async def test_a_job_that_ended_later_is_not_looked_at(database: Database) -> None:
    await completed(database)
    assert await database.read(purging.ages, NOW, 50) == []


async def test_a_purge_that_was_cut_short_is_finished_whenever_it_is_asked_for(database: Database) -> None:
    job_id = await completed(database)
    await database.write(purging.begin, job_id, BEFORE, "ann", LATER)
    await database.write(purging.strip_rows, job_id, 0, 1)
    assert await database.write(purging.begin, job_id, NOW, "bob", LATER)
    await purge(database, job_id)
    assert not await database.write(purging.begin, job_id, BEFORE, "ann", LATER)
    await database.write(purging.finish, job_id, Removed(2, 2), "ann", LATER)
    actions = [entry.action for entry in await database.read(audits.list_entries, job_id, None, 0, 500)]
    assert (actions.count("job.purge_began"), actions.count("job.purged")) == (1, 1)


async def test_a_row_told_by_more_than_a_number_waits_for_an_earlier_job_that_can_be_resumed(
    database: Database,
) -> None:
    early = await started(database, "early")
    await record(database, in_doubt(early, 1))
    late = await completed(database, "late", at=NOW + timedelta(days=1), fingerprint="corrected")
    assert await reasons(database) == ["1 row is with the carrier or in doubt", None]
    await database.write(lambda connection: connection.execute(update(rows).values(row_key="ann@shop.example")))
    assert (await reasons(database))[1] == f"job {early} of the same source can still be resumed"
    with pytest.raises(TallyError, match="E-4041"):
        await database.write(purging.begin, late, BEFORE, "ann", LATER)


async def test_reservations_stay(database: Database) -> None:
    job_id = await completed(database)

    def held(connection: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
        return connection.execute(select(reservations)).all()

    before = await database.read(held)
    await purge(database, job_id)
    assert await database.read(held) == before


def test_a_number_is_nobodys_data_and_any_other_key_is_hashed() -> None:
    assert hashed_key("1001") == "1001"
    assert len(hashed_key("ann@shop.example")) == 64


def test_a_warning_keeps_its_code_and_field() -> None:
    warned = {"code": "residential", "message": "12 Hidden Lane is a home.", "field": "address", "suggestion": "Ann"}
    assert without_words([warned]) == [{"code": "residential", "message": "Purged.", "field": "address"}]
    assert without_words(None) is None


def test_an_error_keeps_its_code_and_row() -> None:
    told = {"code": "E-2012", "message": "ZIP is 787XX: no ZIP.", "action": "Correct it.", "row": 3, "details": []}
    assert without_values(told) == {"code": "E-2012", "message": "Field invalid.", "row": 3}
    assert without_values({"code": "E-9999", "message": "Ann"}) == {"code": "E-9999", "message": "E-9999.", "row": None}
    assert without_values(None) is None


async def test_a_sale_that_is_told_of_a_purged_row_is_still_recorded(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    await purge(database, job_id)
    late = shipped(job_id, 1).model_copy(update={"label_key": None, "label_due": True, "cost": None})
    step = await record(database, late)
    assert step.writeback is not None
    assert (await database.read(queries.show_row, job_id, 1)).status == "shipped"
    assert await database.read(queries.labels_due) == []


async def test_a_late_sale_of_a_purged_row_has_its_job_purged_again(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    await purge(database, job_id)
    await record(database, shipped(job_id, 1))
    (age,) = await database.read(purging.ages, BEFORE, 50)
    assert (age.job_id, age.begun) == (job_id, True)
    await purge(database, job_id)
    assert await database.read(purging.ages, BEFORE, 50) == []


async def test_a_purge_is_not_over_while_a_late_sale_behind_it_has_its_label(database: Database) -> None:
    job_id = await started(database)
    await record(database, failed(job_id, 1))
    await database.write(purging.begin, job_id, BEFORE, "ann", LATER)
    await database.write(purging.strip_rows, job_id, 0, 500)
    await record(database, shipped(job_id, 1))
    await database.write(purging.finish, job_id, Removed(2, 2), "ann", LATER)
    (age,) = await database.read(purging.ages, BEFORE, 50)
    assert (age.job_id, age.begun) == (job_id, True)
