"""Orders in the job database itself: a sale and its number are one transaction, and nothing there stops a sale."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, text

from services.coordinator.database import steps, voids
from services.coordinator.database.engine import Database
from services.coordinator.database.tables import audit
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.contracts.voiding import VoidOutcome
from tests.integration.books_beside import Books, new_row
from tests.integration.job_steps import (
    NOW,
    checked,
    failed,
    in_doubt,
    job,
    record,
    row,
    shipped,
    started,
)

NUMBERS = {1: "1Z0000000000000001", 2: "1Z0000000000000002", 3: "1Z0000000000000003"}
TAKE_NUMBER = f"INSERT INTO orders (id, tracking_number) VALUES (9, '{NUMBERS[1]}')"


async def is_due(books: Books, job_id: str, number: int = 1) -> bool:
    """Whether a row is shipped, and its number still to be written."""
    found = await row(books.database, job_id, number)
    return (found.status, found.write_back.status) == (RowStatus.SHIPPED, WriteBackStatus.DUE)


async def test_a_sale_and_its_number_and_mark_are_written_by_one_step(books: Books) -> None:
    books.shop.orders(3)
    job_id = await books.start()
    step = await record(books.database, shipped(job_id, 1))
    assert step.writeback is None
    assert step.ship is not None
    assert step.ship.row_number == 2
    assert (await row(books.database, job_id, 1)).write_back.status is WriteBackStatus.WRITTEN
    assert books.shop.numbers() == {1: NUMBERS[1], 2: None, 3: None}
    assert books.shop.marks() == [(job_id, 1, "1", 1, NUMBERS[1])]
    actions = await books.database.read(lambda each: each.scalars(select(audit.c.action).order_by(audit.c.seq)).all())
    assert actions[-3:] == ["write_back.written", "row.shipped", "row.in_flight"]


async def test_a_job_whose_numbers_are_all_in_completes_without_a_command_to_writeback(books: Books) -> None:
    books.shop.orders(3)
    job_id = await books.start()
    found = [await record(books.database, shipped(job_id, number)) for number in NUMBERS]
    assert [step.writeback for step in found] == [None] * 3
    assert found[-1].check
    await checked(books.database, job_id)
    assert (await job(books.database, job_id)).status is JobStatus.COMPLETED
    assert books.shop.numbers() == NUMBERS


async def test_an_outcome_that_is_told_again_asks_for_nothing_to_be_written(books: Books) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    await record(books.database, shipped(job_id, 1))
    again = await record(books.database, shipped(job_id, 1))
    assert (again.writeback, again.ship is None) == (None, False)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ("UPDATE orders SET tracking_number = '1ZOTHER'", "E-4012"),
        ("DELETE FROM orders", "E-4010"),
        ("UPDATE orders SET zip = '99999'", "E-4010"),
        ("ALTER TABLE orders ADD COLUMN colour VARCHAR(9)", "E-4010"),
        ("DROP TABLE orders", "E-4011"),
        ("ALTER TABLE orders RENAME COLUMN shipped_at TO sent_at", "E-4011"),
        (f"CREATE UNIQUE INDEX one ON orders (tracking_number); {TAKE_NUMBER}", "E-4011"),
    ],
)
async def test_a_row_that_takes_no_number_is_shipped_all_the_same_and_left_to_writeback(
    books: Books, trouble: str, code: str
) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    books.shop.execute(*trouble.split("; "))
    step = await record(books.database, shipped(job_id, 1))
    assert await is_due(books, job_id)
    assert step.ship is not None
    assert books.shop.marks_if_any() == []
    assert await books.write_back(step) == [code]


async def test_an_order_of_several_rows_has_its_number_in_all_of_them_or_in_none(books: Books) -> None:
    books.shop.orders(4)
    rows = books.shop.snapshot()
    job_id = await books.start([new_row(rows[0], rows[1]), new_row(rows[2], rows[3])])
    books.shop.execute("UPDATE orders SET tracking_number = '1ZOTHER' WHERE id = 4")
    assert (await record(books.database, shipped(job_id, 1))).writeback is None
    assert (await record(books.database, shipped(job_id, 2))).writeback is not None
    assert books.shop.numbers() == {1: NUMBERS[1], 2: NUMBERS[1], 3: None, 4: "1ZOTHER"}
    assert [mark[1] for mark in books.shop.marks()] == [1, 1]


async def test_a_void_clears_the_number_in_the_same_step(books: Books) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    await record(books.database, shipped(job_id, 1))
    await books.database.write(voids.order_voids, job_id, voids.VoidOrder((1,), "ann"), NOW)
    outcome = VoidOutcome(job_id=job_id, row_number=1, shipment_id=NUMBERS[1], status="voided", at=NOW)
    step = await books.database.write(voids.record_void, outcome, NOW)
    assert step.writeback is None
    found = await row(books.database, job_id, 1)
    assert (found.status, found.write_back.status) == (RowStatus.VOIDED, WriteBackStatus.WRITTEN)
    assert list(books.shop.query("SELECT tracking_number, shipped_at FROM orders WHERE id = 1")) == [(None, None)]
    assert books.shop.marks() == [(job_id, 1, "1", 2, None)]


async def test_a_void_of_a_number_that_a_person_replaced_is_left_to_writeback(books: Books) -> None:
    books.shop.orders(1)
    job_id = await books.start()
    await record(books.database, shipped(job_id, 1))
    await books.database.write(voids.order_voids, job_id, voids.VoidOrder((1,), "ann"), NOW)
    books.shop.execute("UPDATE orders SET tracking_number = '1ZOTHER'")
    outcome = VoidOutcome(job_id=job_id, row_number=1, shipment_id=NUMBERS[1], status="voided", at=NOW)
    step = await books.database.write(voids.record_void, outcome, NOW)
    assert await books.write_back(step) == ["E-4012"]
    assert books.shop.numbers() == {1: "1ZOTHER"}


async def test_what_a_person_found_out_about_a_row_in_doubt_is_in_its_row_at_once(books: Books) -> None:
    books.shop.orders(1)
    job_id = await books.start()
    await record(books.database, in_doubt(job_id, 1))
    step = await books.database.write(steps.resolve, job_id, 1, steps.Finding(NUMBERS[1], "ann", "seen"), NOW)
    assert step.writeback is None
    assert books.shop.numbers() == {1: NUMBERS[1]}


async def test_a_sale_that_is_heard_of_late_is_in_its_row_at_once(books: Books) -> None:
    books.shop.orders(1)
    job_id = await books.start()
    await record(books.database, failed(job_id, 1))
    assert (await record(books.database, shipped(job_id, 1))).writeback is None
    assert books.shop.numbers() == {1: NUMBERS[1]}


async def test_a_connection_without_marks_has_none_made(books: Books) -> None:
    books.shop.orders(1)
    unmarked = Database(books.url, {"shop": False})
    job_id = await books.start()
    assert (await record(unmarked, shipped(job_id, 1))).writeback is None
    await unmarked.close()
    assert books.shop.numbers() == {1: NUMBERS[1]}
    assert books.shop.marks_if_any() == []


async def test_a_trigger_that_ends_the_transaction_keeps_no_sale_from_being_recorded(books: Books) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    if books.shop.kind == "sqlite":
        books.shop.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON orders BEGIN SELECT RAISE(ROLLBACK, 'not while I live'); END"
        )
    else:
        books.shop.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END'",
            "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
    step = await record(books.database, shipped(job_id, 1))
    assert await is_due(books, job_id)
    assert step.ship is not None
    assert await books.write_back(step) == ["E-4011"]
    assert books.shop.numbers() == {1: None, 2: None}


# SQLite has one writer, and no locks of rows.
@pytest.mark.parametrize("books", ["postgresql"], indirect=True)
@pytest.mark.parametrize("hold", ["SELECT 1 FROM orders WHERE id = 1 FOR UPDATE", "LOCK TABLE orders"])
async def test_shipping_does_not_wait_for_a_row_or_a_table_that_a_person_holds(books: Books, hold: str) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    with books.shop.engine.begin() as person:
        person.execute(text(hold))
        step = await record(books.database, shipped(job_id, 1))
    assert await is_due(books, job_id)
    assert await books.write_back(step) == [None]
    assert books.shop.numbers() == {1: NUMBERS[1], 2: None}


async def test_columns_that_two_drivers_read_differently_keep_no_number_out(books: Books) -> None:
    books.shop.orders(1)
    books.shop.execute("ALTER TABLE orders ADD COLUMN depth REAL", "UPDATE orders SET depth = 1.1")
    if books.shop.kind == "sqlite":
        books.shop.execute("UPDATE orders SET note = CAST(x'ff41' AS TEXT)")
    else:
        books.shop.execute(
            "ALTER TABLE orders ADD COLUMN more JSONB", """UPDATE orders SET more = '{"b": 1, "a": 2.50}'"""
        )
    job_id = await books.start()
    assert (await record(books.database, shipped(job_id, 1))).writeback is None
    assert books.shop.numbers() == {1: NUMBERS[1]}


async def test_orders_from_anywhere_else_cost_no_statement_more(books: Books) -> None:
    plain = Database(books.url)
    asked: list[list[str]] = []
    for name, database in (("aware", books.database), ("plain", plain)):
        job_id = await started(database, name, fingerprint=name)
        statements: list[str] = []
        engine = database._writer or database._async.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *each, heard=statements: heard.append(each[2]))
        assert (await record(database, shipped(job_id, 1))).writeback is not None
        asked.append(statements)
    await plain.close()
    assert asked[0] == asked[1] != []


@pytest.mark.parametrize("books", ["postgresql"], indirect=True)
@pytest.mark.parametrize("moment", ["20000-01-01", "4000-01-01 BC"])
async def test_a_moment_that_the_driver_has_no_value_for_keeps_no_sale_from_being_recorded(
    books: Books, moment: str
) -> None:
    books.shop.orders(2)
    job_id = await books.start()
    books.shop.execute("ALTER TABLE orders ADD COLUMN due TIMESTAMP", f"UPDATE orders SET due = '{moment}'")
    step = await record(books.database, shipped(job_id, 1))
    assert step.writeback is not None
    assert await is_due(books, job_id)
    assert await books.write_back(step) == ["E-4010"]
