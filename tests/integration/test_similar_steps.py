"""Possible duplicates of earlier jobs' orders, and rows left out as they cannot ship, in the job database."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from services.coordinator import states
from services.coordinator.database import queries, similar
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import NewRow, RefusedRow
from services.coordinator.database.tables import COUNTED_AS_SIMILAR, audit, rows
from services.coordinator.intake.batch import Batch, IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.intake import Intake
from services.coordinator.intake.marks import Marks
from services.coordinator.mapping.shipment import Defaults, Senders
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import RowStatus
from shared.errors import ErrorBody, TallyError
from shared.sources.database_connection import Connections
from tests.contract.messages import SHIPMENT
from tests.integration.job_steps import NOW, failed, in_doubt, record, shipped, started

FORTNIGHT = timedelta(days=14)
PROBLEM = ErrorBody(code="E-2011", message="postal_code is missing.", row=2, field="postal_code")
HEADER = "order_number,name,address_1,city,state,zip,weight\n"
GOOD = "A-{0},Ann Lee,{0} Main St,Boston,MA,02110,2\n"
BAD = "B-{0},Bo Diaz,{0} Elm St,Boston,MA,,2\n"


def marked(row: int, *, order: str = "", contents: str = "", print_: str = "print") -> NewRow:
    return NewRow(row, str(row), "sum", f"{print_}-{row}", SHIPMENT, marks=Marks(order, contents or f"contents-{row}"))


async def found(database: Database, *marks: Marks, since: datetime = NOW - FORTNIGHT) -> set[tuple[str, int, str]]:
    orders = await database.read(similar.similar_orders, marks, since)
    both = (*orders.by_order.values(), *orders.by_contents.values())
    return {(order.job_id, order.row_number, order.status.value) for order in both}


async def test_orders_count_that_have_a_label_or_may_get_one(database: Database) -> None:
    batch = [marked(1, order="one"), marked(2, order="two"), marked(3, order="three")]
    job_id = await started(database, batch=batch)
    every = [row.marks for row in batch]
    assert await found(database, *every) == {(job_id, 1, "in_flight")}
    await record(database, shipped(job_id, 1))
    await record(database, in_doubt(job_id, 2))
    assert await found(database, *every) == {(job_id, 1, "shipped"), (job_id, 2, "in_doubt")}
    assert await found(database, Marks("another", "another")) == set()


async def test_neither_failed_nor_voided_nor_waiting_orders_count(database: Database) -> None:
    batch = [marked(1, order="one"), marked(2, order="two"), marked(3, order="three")]
    job_id = await started(database, batch=batch)
    await record(database, shipped(job_id, 1))
    await record(database, failed(job_id, 2))
    await database.write(lambda link: link.execute(update(rows).where(rows.c.row_number == 1).values(status="voided")))
    assert await found(database, *(row.marks for row in batch)) == set()


async def test_of_several_the_newest_counts_and_contents_count_for_a_fortnight(database: Database) -> None:
    jobs = []
    for number in (1, 2):
        batch = [marked(1, order="one", contents="same", print_=f"p{number}")]
        job_id = await started(database, f"orders-{number}", batch=batch)
        sale = shipped(job_id, 1, number=f"1Z{number}")
        await record(database, sale.model_copy(update={"shipped_at": NOW + timedelta(days=number)}))
        jobs.append(job_id)
    newest = {(jobs[1], 1, "shipped")}
    assert await found(database, Marks("one", "other")) == newest
    assert await found(database, Marks("", "same"), since=NOW + timedelta(days=2)) == newest
    assert await found(database, Marks("", "same"), since=NOW + timedelta(days=3)) == set()
    assert await found(database, Marks("one", "same"), since=NOW + timedelta(days=3)) == newest


async def test_an_order_that_a_row_is_like_by_its_number_does_not_count_for_others_by_its_contents(
    database: Database,
) -> None:
    job_id = await started(database, batch=[marked(1, order="one", contents="same")])
    await record(database, shipped(job_id, 1))
    asked_for = [Marks("one", "other"), Marks("two", "same")]
    orders = await database.read(similar.similar_orders, asked_for, NOW + timedelta(days=1))
    assert [order.row_number for order in orders.by_order.values()] == [1]
    assert orders.by_contents == {}


async def test_similar_orders_are_found_by_the_indices_of_those_that_count(database: Database) -> None:
    def plan(link: Connection) -> str:
        query = similar.newest_by_marks(link)
        for name, value in {"orders": '["one"]', "contents": '["two"]', "since": "2026-01-01"}.items():
            query = query.replace(f":{name}", f"'{value}'")
        if link.dialect.name == "postgresql":
            link.exec_driver_sql("SET LOCAL enable_seqscan = off")
            return str(link.exec_driver_sql(f"EXPLAIN {query}").all())
        return str(link.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())

    told = await database.read(plan)
    assert "ix_rows_order_mark" in told
    assert "ix_rows_contents_mark" in told


def test_the_index_of_marks_holds_the_orders_that_have_a_label_or_may_get_one() -> None:
    assert sorted(COUNTED_AS_SIMILAR) == sorted(states.OPEN_ROWS | {RowStatus.SHIPPED})


async def test_a_row_that_cannot_ship_is_skipped_with_its_reason_and_never_bought(database: Database) -> None:
    second = PROBLEM.model_copy(update={"message": "weight is missing.", "field": "weight"})
    refused = RefusedRow(2, "2", "sum-2", (PROBLEM, second), "B-2", "Bo Diaz", "Boston, MA")
    job_id = await started(database, batch=[marked(1), refused, marked(3)])
    document = await database.read(queries.show_row, job_id, 2)
    assert (document.status, document.recipient, document.destination) == (RowStatus.SKIPPED, "Bo Diaz", "Boston, MA")
    assert document.error == PROBLEM.model_copy(update={"details": (second,)})
    assert not document.purged
    for number in (1, 3):
        await record(database, shipped(job_id, number, number=f"1Z{number}"))
    job = await database.read(queries.show_job, job_id)
    assert (job.rows.shipped, job.rows.skipped, job.cursor) == (2, 1, 3)
    chosen = select(audit.c.detail).where(audit.c.job_id == job_id, audit.c.action == "row.skipped")
    (detail,) = await database.read(lambda link: list(link.execute(chosen).scalars()))
    assert detail["error"] == "E-2011"
    assert "Bo" not in str(detail)


def batch_of(database: Database, path: Path) -> Intake:
    settings = IntakeSettings((path.parent,), Connections({}), Senders(SHIPMENT.ship_from), Defaults(), 100_000)
    return Intake(settings, History(database, lambda: NOW))


async def read(database: Database, path: Path, *, skip_invalid: bool) -> tuple[Batch, list[NewRow | RefusedRow]]:
    request = JobRequest(request_id="read", source=CsvSource(path=str(path)), skip_invalid=skip_invalid)
    async with batch_of(database, path).open(request, to_ship=False) as batch:
        return batch, [row async for page in batch.rows() for row in page]


async def test_rows_keep_their_numbers_whichever_of_them_are_left_out(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    lines = [(BAD if number % 3 == 0 else GOOD).format(number) for number in range(1, 2001)]
    path.write_text(HEADER + "".join(lines) + GOOD.format(1), encoding="utf-8")
    batch, taken = await read(database, path, skip_invalid=True)
    assert (batch.total, batch.invalid, len(taken)) == (2001, 666, 2001)
    assert [row.source_row for row in taken] == list(range(1, 2002))
    assert {row.source_row for row in taken if isinstance(row, RefusedRow)} == set(range(3, 2001, 3))
    last = taken[-1]
    assert isinstance(last, NewRow)
    assert [warning.message for warning in last.warnings] == ["Row 1 has the same order number, address and contents."]
    assert batch.problems[-1].message == "… and 166 more rows that cannot ship."


@pytest.mark.parametrize(("lines", "skip_invalid"), [(GOOD + BAD, False), (BAD, True)])
async def test_nothing_ships_where_no_row_may_be_left_out_or_none_is_left(
    database: Database, tmp_path: Path, lines: str, *, skip_invalid: bool
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + lines.format(1), encoding="utf-8")
    with pytest.raises(TallyError) as caught:
        await read(database, path, skip_invalid=skip_invalid)
    assert caught.value.body.code == "E-2010"
