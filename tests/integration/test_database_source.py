"""Tables as sources, the same in every kind of database: what is read, and what is refused in one line."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.contracts.source import DatabaseSource, source_hash
from shared.errors import TallyError
from shared.settings import ConnectionSettings
from shared.sources import check_writable, open_source, resolve_source
from shared.sources.database_connection import Connections
from tests.integration.database_server import Server
from tests.integration.shops import Shop, changes, server_shop, sqlite_shop, write


def refusal(shop: Shop, source: DatabaseSource, *, to_ship: bool = False) -> str:
    connections = shop.connections()
    with pytest.raises(TallyError) as caught:
        check_writable(source, connections) if to_ship else open_source(source, [], connections)
    told = str(caught.value)
    assert "\n" not in told
    assert shop.url.password is None or shop.url.password not in told
    return told


def test_rows_are_read_as_texts_with_their_primary_keys(shop: Shop) -> None:
    shop.orders(3)
    rows = shop.snapshot()
    assert [(row.number, row.key, row.surplus) for row in rows] == [(1, "1", 0), (2, "2", 0), (3, "3", 0)]
    first = dict(rows[0].values)
    assert first.pop("gift") in {"false", "0"}
    expected = {"name": "Ann 1", "zip": "02001", "weight": "1.50", "ordered": "2026-11-01", "note": ""}
    weight = "1.5" if shop.kind == "sqlite" else "1.50"  # SQLite has no decimal numbers
    assert first == {"id": "1", **expected, "weight": weight, "tracking_number": "", "shipped_at": ""}


def test_rows_come_in_the_order_of_their_keys(shop: Shop) -> None:
    shop.orders(0)
    shop.execute("INSERT INTO orders (id, name) VALUES (12, 'c'), (2, 'a'), (9, 'b')")
    assert [row.values["name"] for row in shop.snapshot()] == ["a", "b", "c"]


def test_a_condition_is_the_same_as_for_a_file(shop: Shop) -> None:
    shop.orders(30)
    with open_source(shop.source(), [], shop.connections()) as snapshot:
        wanted = [row.key for row in snapshot.rows("weight < 20 AND name LIKE '%5' AND note IS NULL")]
        assert (wanted, snapshot.count("id > 25")) == (["5", "15"], 5)
        with pytest.raises(TallyError, match="E-1010"):
            snapshot.count("1 = 1; DROP TABLE orders")


def test_many_rows_are_read_in_portions(shop: Shop) -> None:
    shop.orders(2500)
    rows = shop.snapshot()
    assert [int(row.key) for row in rows] == list(range(1, 2501))
    assert len({row.checksum for row in rows}) == 2500


@pytest.mark.parametrize(
    "text", ["O'Brien; DROP TABLE orders", 'a "quoted", text', "two\nlines\r\nand\ttabs", "Łódź 東京 🎁"]
)
def test_texts_are_read_as_they_are(shop: Shop, text: str) -> None:
    shop.orders(1)
    quoted = text.replace("'", "''")
    shop.execute(f"UPDATE orders SET name = '{quoted}'")
    assert shop.snapshot()[0].values["name"] == text


def test_a_key_of_several_columns_is_found_by_inspection(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE parts (shop VARCHAR(10) NOT NULL, number INTEGER NOT NULL, name VARCHAR(20),"
        " PRIMARY KEY (shop, number))",
        "INSERT INTO parts VALUES ('a', 2, 'x'), ('a', 1, 'y'), ('b', 1, 'z')",
    )
    assert [row.key for row in shop.snapshot("parts")] == ['["a","1"]', '["a","2"]', '["b","1"]']


def test_a_table_without_a_primary_key_needs_a_key_that_is_unique(shop: Shop) -> None:
    shop.orders(3, "plain", "id INTEGER")
    assert refusal(shop, shop.source("plain")).startswith("E-1043: shop.plain has no primary key")
    assert [row.key for row in shop.snapshot("plain", "id")] == ["1", "2", "3"]
    shop.execute("INSERT INTO plain (id, name) VALUES (3, 'again')")
    assert "E-1044: Column id cannot tell the rows of shop.plain apart: several rows" in refusal(
        shop, shop.source("plain", "id")
    )
    shop.execute("UPDATE plain SET id = NULL WHERE name = 'again'")
    assert "it is empty in some rows" in refusal(shop, shop.source("plain", "id"))


def test_a_view_is_read_by_the_key_that_is_named(shop: Shop) -> None:
    shop.orders(3)
    shop.execute("CREATE VIEW open_orders AS SELECT id, name, tracking_number, shipped_at FROM orders WHERE id > 1")
    assert "E-1043" in refusal(shop, shop.source("open_orders"))
    assert [row.key for row in shop.snapshot("open_orders", "id")] == ["2", "3"]


@pytest.mark.parametrize(
    ("table", "key", "told"),
    [
        ("nowhere", None, "E-1042: Connection shop has no table or view nowhere."),
        ("orders; DROP TABLE orders", None, "E-1042"),
        ('orders" WHERE 1=1 --', None, "E-1042"),
        ("orders` WHERE 1=1 --", None, "E-1042"),
        ("other.orders", None, "E-1042"),
        ("orders\nDROP TABLE orders", None, "E-1042: Connection shop has no table or view orders?DROP TABLE orders."),
        ("orders", "nothing", "E-1044: Column nothing cannot tell the rows of shop.orders apart: there is no such"),
        ("orders", "id; DROP TABLE orders", "E-1044"),
        ("orders", 'id" OR "1"="1', "E-1044"),
        ("orders", "name) FROM orders --", "E-1044"),
        ("orders", "tracking_number", "it is a tracking column"),
        ("orders", "note", "E-1044: Column note cannot tell the rows of shop.orders apart: it is empty"),
    ],
)
def test_a_name_that_means_nothing_is_refused_and_changes_nothing(
    shop: Shop, table: str, key: str | None, told: str
) -> None:
    shop.orders(2)
    assert told in refusal(shop, shop.source(table, key))
    assert len(shop.numbers()) == 2


def test_strange_names_are_quoted(shop: Shop) -> None:
    quote = "`" if shop.kind == "mariadb" else '"'
    table, key = (f"{quote}{name}{quote}" for name in ("my orders; --", "order:no. (%)"))
    shop.orders(2, table, f"{key} INTEGER PRIMARY KEY")
    rows = shop.snapshot("my orders; --")
    assert [row.values["order:no. (%)"] for row in rows] == ["1", "2"]
    check_writable(shop.source("my orders; --"), shop.connections())


def test_an_empty_table_is_refused(shop: Shop) -> None:
    shop.orders(0)
    assert "E-1003: shop.orders has no rows. Name what holds the orders" in refusal(shop, shop.source())


def test_every_name_of_a_table_is_one_source(shop: Shop) -> None:
    shop.orders(1)
    schema = {"sqlite": "main", "postgresql": "public", "mariadb": shop.url.database}[shop.kind]
    connections = shop.connections()
    names = [("shop", "orders"), ("SHOP", "Orders"), ("Shop", f"{schema}.orders")]
    resolved = {resolve_source(DatabaseSource(connection=a, table=b), [], connections) for a, b in names}
    assert {source_hash(source) for source in resolved} == {source_hash(shop.source())}


def test_a_table_of_another_schema(served_shop: Shop) -> None:
    shop = served_shop
    schema = shop.schema()
    shop.orders(2, f"{schema}.parcels")
    assert [row.key for row in shop.snapshot(f"{schema}.parcels")] == ["1", "2"]
    check_writable(shop.source(f"{schema}.parcels"), shop.connections())


def test_a_table_of_a_schema_with_dots_in_its_name(served_shop: Shop) -> None:
    shop = served_shop
    schema = shop.schema(".north.2")
    shop.orders(2, f"{shop.quoted(schema)}.parcels")
    assert [row.key for row in shop.snapshot(f"{schema}.parcels")] == ["1", "2"]
    check_writable(shop.source(f"{schema}.parcels"), shop.connections())


def test_a_connection_that_nobody_set_is_refused(shop: Shop) -> None:
    told = refusal(shop, DatabaseSource(connection="nobody", table="orders"))
    assert told.startswith("E-1040: There is no connection nobody; known are: shop.")


def test_a_table_without_tracking_columns_names_the_statement_that_adds_them(shop: Shop) -> None:
    shop.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, name VARCHAR(20))", "INSERT INTO bare VALUES (1, 'Ann')")
    told = refusal(shop, shop.source("bare"), to_ship=True)
    assert told.startswith("E-1045: shop.bare has no column tracking_number and no column shipped_at")
    statement = re.search(r"Run: (.*)$", told)
    assert statement is not None
    shop.execute(*filter(None, statement[1].split("; ")))
    check_writable(shop.source("bare"), shop.connections())


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("tracking_number INTEGER, shipped_at VARCHAR(30)", "its column tracking_number does not hold a text of 18"),
        ("tracking_number VARCHAR(10), shipped_at VARCHAR(30)", "its column tracking_number does not hold"),
        ("tracking_number VARCHAR(30), shipped_at INTEGER", "its column shipped_at holds neither a time nor a text"),
    ],
)
def test_tracking_columns_that_cannot_hold_a_number_are_refused(served_shop: Shop, columns: str, told: str) -> None:
    shop = served_shop
    shop.execute(f"CREATE TABLE odd (id INTEGER PRIMARY KEY, {columns})", "INSERT INTO odd (id) VALUES (1)")
    assert (
        f"E-1046: shop.odd cannot be updated, so no tracking number could be written back; nothing was shipped: {told}"
        in refusal(shop, shop.source("odd"), to_ship=True)
    )


def test_a_view_that_cannot_be_updated_is_refused(shop: Shop) -> None:
    shop.orders(2)
    shop.execute(
        "CREATE VIEW sums AS SELECT name, MAX(id) AS id, MAX(tracking_number) AS tracking_number,"
        " MAX(shipped_at) AS shipped_at FROM orders GROUP BY name"
    )
    assert "E-1046" in refusal(shop, shop.source("sums", "name"), to_ship=True)


def test_a_user_who_may_not_update_is_refused_without_a_word_of_the_password(served_shop: Shop) -> None:
    shop = served_shop
    shop.orders(2)
    url = shop.user("SELECT ON orders")
    with pytest.raises(TallyError) as caught:
        check_writable(shop.source(), shop.connections(url))
    assert str(caught.value).startswith("E-1046: shop.orders cannot be updated")
    assert str(url.password) not in str(caught.value)


def test_a_table_of_marks_that_may_not_be_written_is_refused(served_shop: Shop) -> None:
    shop = served_shop
    shop.orders(2)
    write(shop, changes(shop.snapshot(), {1: "1Z1"}))
    url = shop.user("SELECT, UPDATE ON orders", "SELECT ON tally_write_backs")
    with pytest.raises(TallyError, match=r"E-1046: .*tally_write_backs beside it may not be used.*mark_table = false"):
        check_writable(shop.source(), shop.connections(url))
    check_writable(shop.source(), shop.connections(url, mark_table=False))


def test_a_mariadb_table_without_transactions_is_refused(mariadb_server: Server) -> None:
    shop = server_shop(mariadb_server, "mariadb")
    shop.orders(1)
    shop.execute("ALTER TABLE orders ENGINE=MyISAM")
    assert "its storage engine MyISAM has no transactions" in refusal(shop, shop.source(), to_ship=True)
    shop.close()


def test_memory_stays_flat_however_many_rows_there_are(shop: Shop) -> None:
    shop.orders(20_000)
    connections = shop.connections()
    open_source(shop.source(), [], connections).close()
    tracemalloc.start()
    open_source(shop.source(), [], connections).close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000  # a thousand rows at a time; all of them take eight times as much


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    shop = sqlite_shop(tmp_path)
    Path(str(shop.url.database)).write_bytes(b"not a database, " * 100)
    assert "E-1047: shop.orders cannot be read: file is not a database." in refusal(shop, shop.source())


def test_what_is_tried_changes_nothing(shop: Shop) -> None:
    shop.orders(3)
    before = shop.query("SELECT * FROM orders ORDER BY id")
    check_writable(shop.source(), shop.connections())
    assert shop.query("SELECT * FROM orders ORDER BY id") == before
    assert not shop.query("SELECT * FROM orders WHERE shipped_at IS NOT NULL")


def test_a_wrong_password_is_told_and_not_shown(served_shop: Shop) -> None:
    shop = served_shop
    with pytest.raises(TallyError) as caught:
        open_source(shop.source(), [], shop.connections(shop.url.set(password="wrong-secret")))
    assert str(caught.value).startswith("E-1041: Connection shop cannot be opened: ")
    assert "wrong-secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_told_at_once(shop: Shop) -> None:
    nowhere = shop.url.set(database="/nowhere/shop.db") if shop.kind == "sqlite" else shop.url.set(port=1)
    with pytest.raises(TallyError, match="E-1041: Connection shop cannot be opened: "):
        open_source(shop.source(), [], shop.connections(nowhere))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("oracle://u:hush@h/d", "its URL has to begin with one of postgresql:"),
        ("no url, hush", "it is no URL"),
        ("sqlite://", "its URL has to name a database file"),
        ("sqlite:///:memory:", "its URL has to name a database file"),
        ("mysql://u:hush@h/d?local_infile=1", "its URL may not ask for local_infile"),
        ("mysql://u:hush@h/d?sslmode=maybe", "its sslmode has to be one of"),
        ("mysql://u:hush@h/d?sslrootcert=/etc/ca.pem", "its sslmode prefer checks no certificate"),
        ("postgresql://u:hush@h/d?sslmode=require&sslcert=/nowhere", "the certificates at its sslcert"),
        ("postgresql://u:hush@h/d?sslmode=verify-full&sslrootcert=/nowhere", "the certificates at its sslrootcert"),
    ],
)
def test_a_url_that_cannot_be_one_is_a_wrong_setting(url: str, told: str) -> None:
    with pytest.raises(TallyError) as caught:
        Connections({"shop": ConnectionSettings(url=SecretStr(url))})
    assert str(caught.value).startswith("E-5002: TALLY_CONNECTIONS__SHOP: ")
    assert told in str(caught.value)
    assert "hush" not in str(caught.value)
