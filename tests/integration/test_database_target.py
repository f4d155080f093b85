"""Tracking numbers into tables, the same in every kind of database: one transaction, nothing overwritten, one mark."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from services.writeback.targets.database import DatabaseTarget
from shared.sources import check_writable
from shared.sources.changes import RowChange
from tests.integration.shops import NOW, TYPES, Shop, change, changes, codes, write

GUIDE = Path(__file__).parents[2] / "docs/guides/databases.md"


def numbered(shop: Shop, count: int) -> list[RowChange]:
    """Orders, and the change for each: order n gets number 1Zn."""
    shop.orders(count)
    return changes(shop.snapshot(), {number: f"1Z{number}" for number in range(1, count + 1)})


def test_numbers_and_times_go_into_their_rows_and_are_marked(shop: Shop) -> None:
    wanted = numbered(shop, 3)
    others = "SELECT id, name, zip, weight, ordered, gift, note FROM orders ORDER BY id"
    before = shop.query(others)
    assert codes(write(shop, wanted[:2])) == [None, None]
    assert shop.numbers() == {1: "1Z1", 2: "1Z2", 3: None}
    times = [row.values["shipped_at"] for row in shop.snapshot()]
    expected = {
        "sqlite": "2026-11-21T10:15:30Z",
        "postgresql": "2026-11-21T10:15:30+00:00",
        "mariadb": "2026-11-21T10:15:30",
    }[shop.kind]
    assert times == [expected, expected, ""]
    assert shop.query(others) == before
    assert shop.marks() == [("job", 1, "1", 1, "1Z1"), ("job", 2, "2", 1, "1Z2")]


def test_a_second_application_changes_nothing(shop: Shop) -> None:
    wanted = numbered(shop, 2)
    write(shop, wanted)
    everything = [shop.query("SELECT * FROM orders ORDER BY id"), shop.query("SELECT * FROM tally_write_backs")]
    assert codes(write(shop, wanted)) == [None, None]
    assert [
        shop.query("SELECT * FROM orders ORDER BY id"),
        shop.query("SELECT * FROM tally_write_backs"),
    ] == everything


@pytest.mark.parametrize("mark_table", [True, False])
def test_another_number_is_a_conflict_and_stays(shop: Shop, mark_table: bool) -> None:
    wanted = numbered(shop, 3)
    shop.execute("UPDATE orders SET tracking_number = '1ZOTHER' WHERE id = 2")
    results = write(shop, wanted, mark_table=mark_table)
    assert codes(results) == [None, "E-4012", None]
    assert shop.numbers() == {1: "1Z1", 2: "1ZOTHER", 3: "1Z3"}


def test_a_number_that_is_replaced_may_be_overwritten_and_cleared(shop: Shop) -> None:
    shop.orders(2)
    first, second = shop.snapshot()
    write(shop, [change(first, "1ZOLD"), change(second, "1ZOLD2")])
    new = [
        change(first, "1ZNEW", version=2, replaces=("1ZOLD",)),
        change(second, None, version=2, replaces=("1ZOLD2",)),
    ]
    assert codes(write(shop, new)) == [None, None]
    assert shop.numbers() == {1: "1ZNEW", 2: None}
    assert shop.snapshot()[1].values["shipped_at"] == ""


def test_a_change_that_comes_late_does_not_undo_a_newer_one(shop: Shop) -> None:
    shop.orders(1)
    (row,) = shop.snapshot()
    written, cleared = change(row, "1Z1"), change(row, None, version=2, replaces=("1Z1",))
    write(shop, [written])
    write(shop, [cleared])
    assert codes(write(shop, [written])) == [None]
    assert shop.numbers() == {1: None}
    assert shop.marks() == [("job", 1, "1", 2, None)]


def test_of_several_changes_of_a_row_the_newest_counts(shop: Shop) -> None:
    shop.orders(1)
    (row,) = shop.snapshot()
    results = write(shop, [change(row, "1ZB", version=2), change(row, "1ZA", version=1)])
    assert codes(results) == [None, None]
    assert shop.numbers() == {1: "1ZB"}


def test_a_row_that_is_gone_or_changed_is_told_and_keeps_no_other_back(shop: Shop) -> None:
    wanted = numbered(shop, 4)
    shop.execute("DELETE FROM orders WHERE id = 1", "UPDATE orders SET name = 'Somebody Else' WHERE id = 3")
    results = write(shop, wanted)
    assert codes(results) == ["E-4010", None, "E-4010", None]
    assert shop.numbers() == {2: "1Z2", 3: None, 4: "1Z4"}
    assert results[0].error is not None
    assert results[0].error.action.endswith("enter tracking number 1Z1 by hand.")


def test_a_row_that_holds_its_own_number_is_known_whatever_else_changed(shop: Shop) -> None:
    shop.orders(1)
    (row,) = shop.snapshot()
    write(shop, [change(row, "1Z1")])
    shop.execute("UPDATE orders SET note = 'sent'")
    assert codes(write(shop, [change(row, "1Z1")])) == [None]
    assert codes(write(shop, [change(row, None, version=2, replaces=("1Z1",))])) == [None]
    assert shop.numbers() == {1: None}


def test_a_row_the_database_refuses_keeps_no_other_back(shop: Shop) -> None:
    wanted = numbered(shop, 3)
    shop.execute(
        "CREATE UNIQUE INDEX one_parcel ON orders (tracking_number)",
        "INSERT INTO orders (id, tracking_number) VALUES (9, '1Z2')",
    )
    results = write(shop, wanted)
    assert codes(results) == [None, "E-4011", None]
    assert shop.numbers() == {1: "1Z1", 2: None, 3: "1Z3", 9: "1Z2"}
    assert [mark[1] for mark in shop.marks()] == [1, 3]
    assert "\n" not in str(results[1].error)


def test_a_key_of_any_type_finds_its_row(shop: Shop) -> None:
    keys = {
        "sqlite": {
            "k1 TEXT": "'a 1'",
            "k2 DECIMAL(6,2)": "12.5",
            "k3 DATE": "'2026-11-21'",
            "k4 BIGINT": "9007199254740993",
        },
        "postgresql": {
            "k1 CHAR(8)": "'a 1'",
            "k2 NUMERIC(6,2)": "12.5",
            "k3 DATE": "'2026-11-21'",
            "k4 BIGINT": "9007199254740993",
            "k5 UUID": "'0a1b2c3d-0000-4000-8000-00000000abcd'",
            "k6 TIMESTAMPTZ": "'2026-11-21 10:15:30.25+02'",
            "k7 BYTEA": "'\\x00ff'",
            "k8 VARCHAR(20)": "'o''b'",
        },
        "mariadb": {
            "k1 CHAR(8)": "'a 1'",
            "k2 DECIMAL(6,2)": "12.5",
            "k3 DATE": "'2026-11-21'",
            "k4 BIGINT": "9007199254740993",
            "k5 BINARY(2)": "x'00ff'",
            "k6 DATETIME(3)": "'2026-11-21 10:15:30.25'",
            "k7 VARCHAR(20)": "'o''b'",
            "k8 ENUM('x','y')": "'y'",
        },
    }[shop.kind]
    for number, (column, value) in enumerate(keys.items(), start=1):
        name, kind = column.split(" ", 1)
        table = f"keyed{number}"
        shop.orders(0, table, f"{name} {kind} PRIMARY KEY")
        shop.execute(f"INSERT INTO {table} ({name}, name) VALUES ({value}, 'Ann')")
        (row,) = shop.snapshot(table)
        assert codes(write(shop, [change(row, "1Z1", job_id=f"job{number}")], shop.source(table))) == [None], column
        assert list(shop.numbers(table, name).values()) == ["1Z1"], column


def test_a_key_of_several_columns_finds_its_row(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE parts (a VARCHAR(10) NOT NULL, b INTEGER NOT NULL, tracking_number VARCHAR(40),"
        " shipped_at VARCHAR(30), PRIMARY KEY (a, b))",
        "INSERT INTO parts (a, b) VALUES ('x', 1), ('x', 2), ('y', 1)",
    )
    rows = shop.snapshot("parts")
    assert codes(write(shop, [change(rows[1], "1Z")], shop.source("parts"))) == [None]
    assert [tuple(row) for row in shop.query("SELECT a, b, shipped_at FROM parts WHERE tracking_number = '1Z'")] == [
        ("x", 2, "2026-11-21T10:15:30Z")
    ]


def test_keys_that_are_alike_but_for_their_case_are_never_mixed_up(shop: Shop) -> None:
    shop.orders(0, "coded", "code VARCHAR(10) PRIMARY KEY")
    shop.execute("INSERT INTO coded (code, name) VALUES ('ab', 'Ann')")
    (row,) = shop.snapshot("coded")
    shop.execute("UPDATE coded SET code = 'AB'")
    assert codes(write(shop, [change(row, "1Z")], shop.source("coded"))) == ["E-4010"]


def test_a_row_is_written_through_a_view(served_shop: Shop) -> None:
    shop = served_shop
    shop.orders(3)
    shop.execute("CREATE VIEW open_orders AS SELECT id, name, tracking_number, shipped_at FROM orders WHERE id > 1")
    rows = shop.snapshot("open_orders", "id")
    shop.execute("UPDATE orders SET note = 'not in the view'")
    assert codes(write(shop, [change(rows[0], "1Z2")], shop.source("open_orders", "id"))) == [None]
    assert shop.numbers() == {1: None, 2: "1Z2", 3: None}


def test_a_row_that_a_view_shows_no_more_since_its_number_is_in_counts_as_written(served_shop: Shop) -> None:
    shop = served_shop
    shop.orders(3)
    shop.execute("CREATE VIEW open_orders AS SELECT * FROM orders WHERE tracking_number IS NULL")
    rows = shop.snapshot("open_orders", key="id")
    source = shop.source("open_orders", key="id")
    target = DatabaseTarget(shop.connections(), lambda: NOW)
    assert codes(target.apply(source, [change(rows[0], "1Z1")])) == [None]
    again = [change(rows[0], "1Z1"), change(rows[0], "1Z1", version=2)]
    assert [codes(target.apply(source, [one])) for one in again] == [[None], [None]]
    assert shop.numbers() == {1: "1Z1", 2: None, 3: None}

    shop.execute("UPDATE orders SET tracking_number = '1ZOTHER' WHERE id = 2", "DELETE FROM orders WHERE id = 3")
    assert codes(target.apply(source, [change(row, f"1Z{row.number}") for row in rows[1:]])) == ["E-4010", "E-4010"]
    shop.execute("UPDATE orders SET tracking_number = NULL WHERE id = 1")
    assert codes(target.apply(source, [change(rows[0], "1Z1", version=3)])) == [None]
    assert shop.numbers() == {1: "1Z1", 2: "1ZOTHER"}


def test_without_the_right_to_make_a_table_rows_are_written_unmarked(served_shop: Shop) -> None:
    shop = served_shop
    wanted = numbered(shop, 2)
    if shop.kind == "postgresql":
        shop.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    url = shop.user("SELECT, UPDATE ON orders")
    assert codes(write(shop, wanted, url=url)) == [None, None]
    assert shop.numbers() == {1: "1Z1", 2: "1Z2"}
    schema = "DATABASE()" if shop.kind == "mariadb" else "'public'"
    tables = shop.query(f"SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}")
    assert [row[0] for row in tables] == ["orders"]


def test_the_table_of_marks_as_the_guide_makes_it_is_used(served_shop: Shop) -> None:
    shop = served_shop
    wanted = numbered(shop, 2)
    made = re.search(r"CREATE TABLE tally_write_backs .*?\)\)", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert made is not None
    shop.execute(made[0].replace("TIMESTAMP", TYPES[shop.kind]["moment"]))
    url = shop.user(
        "SELECT ON orders",
        "UPDATE (tracking_number, shipped_at) ON orders",
        "SELECT, INSERT, UPDATE ON tally_write_backs",
    )
    check_writable(shop.source(), shop.connections(url))
    assert codes(write(shop, wanted, url=url)) == [None, None]
    assert [mark[4] for mark in shop.marks()] == ["1Z1", "1Z2"]


def test_without_marks_nothing_is_made(shop: Shop) -> None:
    wanted = numbered(shop, 1)
    assert codes(write(shop, wanted, mark_table=False)) == [None]
    assert codes(write(shop, wanted, mark_table=False)) == [None]
    with pytest.raises(Exception, match="tally_write_backs"):
        shop.marks()


def test_rights_to_the_two_columns_are_enough(served_shop: Shop) -> None:
    shop = served_shop
    wanted = numbered(shop, 1)
    url = shop.user("SELECT, UPDATE (tracking_number, shipped_at) ON orders")
    assert codes(write(shop, wanted, url=url, mark_table=False)) == [None]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER TABLE orders RENAME TO gone", "Connection shop has no table or view orders"),
        ("ALTER TABLE orders RENAME COLUMN tracking_number TO tracking", "it has no column tracking_number"),
    ],
)
def test_a_table_that_was_altered_is_told(shop: Shop, statement: str, told: str) -> None:
    wanted = numbered(shop, 2)
    shop.execute(statement)
    results = write(shop, wanted)
    assert codes(results) == ["E-4011", "E-4011"]
    assert told in str(results[0].error)


def test_a_connection_that_is_lost_is_told_and_the_next_try_succeeds(shop: Shop) -> None:
    wanted = numbered(shop, 2)
    connections = shop.connections()
    target = DatabaseTarget(connections, lambda: NOW)
    engine = connections.find("shop")._engine
    lost = threading.Event()

    @event.listens_for(engine, "before_cursor_execute")
    def lose(connection, cursor, statement, parameters, context, executemany):  # noqa: ARG001
        if not lost.is_set() and statement.startswith("INSERT INTO tally_write_backs"):
            lost.set()
            lose_connection(shop, connection)

    assert codes(target.apply(shop.source(), wanted)) == ["E-4011", "E-4011"]
    assert lost.is_set()
    assert (shop.numbers(), shop.marks()) == ({1: None, 2: None}, [])
    assert codes(target.apply(shop.source(), wanted)) == [None, None]
    assert shop.numbers() == {1: "1Z1", 2: "1Z2"}


def lose_connection(shop: Shop, connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if shop.kind == "postgresql":
        driver._usock.close()
        driver._sock.close()
    elif shop.kind == "mariadb":
        driver._force_close()
    else:
        driver.close()


def test_a_transaction_that_the_database_gave_up_leaves_nothing_of_the_batch(shop: Shop) -> None:
    wanted = numbered(shop, 3)
    connections = shop.connections()
    target = DatabaseTarget(connections, lambda: NOW)
    target.apply(shop.source(), [])  # makes the table of marks
    engine = connections.find("shop")._engine
    marked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def give_up(connection, cursor, statement, parameters, context, executemany):  # noqa: ARG001
        if statement.startswith("INSERT INTO tally_write_backs"):
            marked.append(statement)
            if len(marked) == 2:  # as MySQL does on a deadlock, and SQLite on a full disk
                connection.connection.driver_connection.cursor().execute("ROLLBACK")
                raise OperationalError(statement, {}, Exception("deadlock found"))

    assert codes(target.apply(shop.source(), wanted)) == ["E-4011"] * 3
    assert (shop.numbers(), shop.marks()) == ({1: None, 2: None, 3: None}, [])
    assert codes(target.apply(shop.source(), wanted)) == [None] * 3
    assert shop.numbers() == {1: "1Z1", 2: "1Z2", 3: "1Z3"}


def test_two_writers_that_make_the_table_of_marks_at_once_both_write(shop: Shop) -> None:
    wanted = numbered(shop, 8)
    targets = [DatabaseTarget(shop.connections(), lambda: NOW) for _ in range(4)]
    start = threading.Barrier(4)

    def work(which: int) -> list[str | None]:
        start.wait(30)
        return codes(targets[which].apply(shop.source(), wanted[2 * which : 2 * which + 2]))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[None, None]] * 4
    assert len(shop.marks()) == 8


def test_a_row_that_another_holds_is_told_and_written_later(shop: Shop) -> None:
    wanted = numbered(shop, 1)
    with shop.engine.connect() as other:
        if shop.kind == "sqlite":
            own: Any = other.connection.driver_connection
            own.isolation_level = None
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.execute(text("UPDATE orders SET note = 'mine' WHERE id = 1"))
        results = write(shop, wanted)
        other.rollback()
    assert codes(results) == ["E-4011"]
    assert re.search(r"lock", str(results[0].error), re.IGNORECASE)
    assert codes(write(shop, wanted)) == [None]


def test_two_writers_side_by_side_lose_nothing(shop: Shop) -> None:
    wanted = numbered(shop, 60)
    targets = [DatabaseTarget(shop.connections(), lambda: NOW) for _ in range(2)]
    orders = [wanted, wanted[::-1]]

    def work(which: int) -> list[str | None]:
        told: list[str | None] = []
        for start in range(0, 60, 12):
            told += codes(targets[which].apply(shop.source(), orders[which][start : start + 12]))
        return told

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, range(2)))
    assert set(results[0] + results[1]) == {None}
    assert shop.numbers() == {number: f"1Z{number}" for number in range(1, 61)}
    assert [(mark[1], mark[4]) for mark in shop.marks()] == [(number, f"1Z{number}") for number in range(1, 61)]


def test_two_jobs_that_want_one_row_do_not_overwrite_each_other(shop: Shop) -> None:
    shop.orders(1)
    (row,) = shop.snapshot()
    results = write(shop, [change(row, "1ZA", job_id="a"), change(row, "1ZB", job_id="b")])
    assert codes(results) == [None, "E-4012"]
    assert shop.numbers() == {1: "1ZA"}
