"""A shop's database with orders, in each kind of database there is; each test has one of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import URL, Engine, Row, create_engine, inspect, text

from services.writeback.targets.database import DatabaseTarget
from shared.contracts.commands import WrittenValues
from shared.contracts.source import DatabaseSource
from shared.contracts.writeback import RowWritten
from shared.settings import ConnectionSettings
from shared.sources import open_source
from shared.sources.changes import RowChange
from shared.sources.database_connection import Connections
from shared.sources.rows import SourceRow
from tests.integration.database_server import Server

SHIPPED_AT = datetime(2026, 11, 21, 10, 15, 30, 999_999, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 10, 15, 31, tzinfo=UTC)
TYPES = {
    "sqlite": {"moment": "TEXT", "bool": "BOOLEAN"},
    "postgresql": {"moment": "TIMESTAMPTZ", "bool": "BOOLEAN"},
    "mariadb": {"moment": "DATETIME", "bool": "BOOLEAN"},
}


@dataclass
class Shop:
    """A database of kind `sqlite`, `postgresql` or `mariadb`; `url` is its owner's."""

    kind: str
    url: URL
    server: Server | None = None
    opened: list[Connections] = field(default_factory=list)
    made: list[str] = field(default_factory=list)  # the statements that remove what it has on its server

    @cached_property
    def engine(self) -> Engine:
        """Its owner's connections."""
        return create_engine(self.url)

    def execute(self, *statements: str) -> None:
        """Run statements as its owner, each in a transaction of its own."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement.replace(":", r"\:")))

    def query(self, statement: str) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of a statement."""
        with self.engine.connect() as connection:
            return connection.execute(text(statement)).all()

    def orders(self, count: int, table: str = "orders", key: str = "id INTEGER PRIMARY KEY") -> None:
        """Make a table with `count` orders, whose keys are 1, 2, 3 …"""
        self.execute(
            f"CREATE TABLE {table} ({key}, name VARCHAR(80), zip VARCHAR(10), weight NUMERIC(8,2), ordered DATE,"
            f" gift {TYPES[self.kind]['bool']}, note VARCHAR(200), tracking_number VARCHAR(64),"
            f" shipped_at {TYPES[self.kind]['moment']})"
        )
        if count:
            column = key.partition(" INTEGER")[0]
            rows = ",".join(
                f"({number}, 'Ann {number}', '0{2000 + number}', {number}.50, '2026-11-01', {number % 2 == 0}, NULL)"
                for number in range(1, count + 1)
            )
            self.execute(f"INSERT INTO {table} ({column}, name, zip, weight, ordered, gift, note) VALUES {rows}")

    def connections(self, url: URL | None = None, *, mark_table: bool = True) -> Connections:
        """Connections of which this shop's is called shop."""
        secret = SecretStr((url or self.url).render_as_string(hide_password=False))
        made = Connections({"shop": ConnectionSettings(url=secret, mark_table=mark_table)})
        self.opened.append(made)
        return made

    def snapshot(self, table: str = "orders", key: str | None = None) -> list[SourceRow]:
        """Its rows as intake reads them."""
        with open_source(self.source(table, key), [], self.connections()) as snapshot:
            return list(snapshot.rows())

    def source(self, table: str = "orders", key: str | None = None) -> DatabaseSource:
        """A table as a job's source."""
        return DatabaseSource(connection="shop", table=table, key=key)

    def numbers(self, table: str = "orders", key: str = "id") -> dict[Any, str | None]:
        """The tracking number of every order by its key."""
        return {row[0]: row[1] for row in self.query(f"SELECT {key}, tracking_number FROM {table}")}

    def marks(self) -> list[tuple[Any, ...]]:
        """Job, row, key, version and number of every mark."""
        columns = "job_id, job_row, row_key, row_version, tracking_number"
        return [tuple(row) for row in self.query(f"SELECT {columns} FROM tally_write_backs ORDER BY job_id, job_row")]

    def marks_if_any(self) -> list[tuple[Any, ...]]:
        """The marks, none where there is no table of them yet."""
        with self.engine.connect() as connection:
            exists = inspect(connection).has_table("tally_write_backs")
        return self.marks() if exists else []

    def user(self, *grants: str) -> URL:
        """A user of the server with these rights only, each a GRANT up to its TO."""
        assert self.server is not None
        name = _unique("clerk")
        if self.kind == "postgresql":
            self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{self.url.password}'")
        else:
            self.execute(f"CREATE USER {name} IDENTIFIED BY '{self.url.password}'")
        self.made.append(f"DROP USER {name}")
        self.execute(*(f"GRANT {grant} TO {name}" for grant in grants))
        return self.url.set(username=name)

    def schema(self, rest: str = "") -> str:
        """Make another schema, whose name ends in `rest`; its name."""
        name = _unique("warehouse") + rest
        self.execute(f"CREATE SCHEMA {self.quoted(name)}")
        if self.kind == "mariadb":  # where a schema is a database, and none is inside another
            self.made.append(f"DROP DATABASE {self.quoted(name)}")
        return name

    def quoted(self, name: str) -> str:
        """A name as its SQL has it."""
        return self.engine.dialect.identifier_preparer.quote_identifier(name)

    def close(self) -> None:
        """Close what was opened, and remove it from its server."""
        self.engine.dispose()
        for connections in self.opened:
            connections.close()
        if self.server is not None:
            self.server.execute(*self.made)


def sqlite_shop(folder: Path) -> Shop:
    """A shop in a file."""
    path = folder / f"{_unique('shop')}.db"
    path.touch()
    return Shop("sqlite", URL.create("sqlite", database=str(path)))


def server_shop(server: Server, kind: str) -> Shop:
    """A shop in a database of its own on a server."""
    name = _unique("shop")
    if kind == "mariadb":
        server.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        removal = ["SET SESSION lock_wait_timeout = 30", f"DROP DATABASE {name}"]
    else:
        server.execute(f"CREATE DATABASE {name}")
        removal = [f"DROP DATABASE {name} WITH (FORCE)"]
    return Shop(kind, server.admin.set(database=name), server, made=removal)


def _unique(name: str) -> str:
    """A name that no other test run on the same server has."""
    return f"{name}_{uuid4().hex[:12]}"


def change(
    row: SourceRow,
    tracking_number: str | None,
    *,
    job_id: str = "job",
    version: int = 1,
    replaces: tuple[str, ...] = (),
) -> RowChange:
    """The change that gives a row a tracking number, or takes it away."""
    shipped_at = None if tracking_number is None else SHIPPED_AT
    values = WrittenValues(tracking_number=tracking_number, shipped_at=shipped_at)
    return RowChange(job_id, row.number, row.number, row.key, row.checksum, version, values, replaces)


def changes(rows: Sequence[SourceRow], numbers: Mapping[int, str]) -> list[RowChange]:
    """The changes that give rows, by their numbers, these tracking numbers."""
    return [change(row, numbers[row.number]) for row in rows if row.number in numbers]


def write(
    shop: Shop, wanted: Sequence[RowChange], source: DatabaseSource | None = None, **options: Any
) -> list[RowWritten]:
    """Apply changes by a target of their own, as a process just started would."""
    return DatabaseTarget(shop.connections(**options), lambda: NOW).apply(source or shop.source(), wanted)


def codes(results: Sequence[RowWritten]) -> list[str | None]:
    """The E-code of each failure; None for what was written."""
    return [None if result.error is None else result.error.code for result in results]
