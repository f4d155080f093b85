"""Inserts rows by the driver's own means: a job may have a million of them, and a statement's clauses cost the most."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from services.coordinator.database.new_rows import STORED, StoredRow
from services.coordinator.database.tables import rows
from services.coordinator.identity import reference_for

_VARYING = ("job_id", "row_number", "reference", *STORED)
_DEFAULTS = {
    column.name: column.default.arg for column in rows.columns if isinstance(column.default, ScalarElementColumnDefault)
}
# Rows that one statement inserts into SQLite, whose driver gives up its interpreter lock for each statement that it
# runs, and waits for it again.
_TOGETHER = 100


def insert_rows(connection: Connection, installation: str, job_id: str, first: int, batch: Sequence[StoredRow]) -> None:
    """Insert a job's rows, numbered from `first`, as part of the connection's transaction."""
    records = _records(installation, job_id, first, batch)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_insert(_values(f"${place}" for place in range(1, len(_VARYING) + 1))), [*records])
        return
    together = _together(connection)
    while some := list(islice(records, together)):
        connection.exec_driver_sql(_insert_of(len(some)), tuple(chain.from_iterable(some)))


def _together(connection: Connection) -> int:
    """How many rows one statement may insert: before 3.32 SQLite takes 999 values at most."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return min(_TOGETHER, driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(_VARYING))


def _records(installation: str, job_id: str, first: int, batch: Sequence[StoredRow]) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(batch, start=first):
        yield (job_id, number, reference_for(installation, job_id, number), *row)


@lru_cache(maxsize=_TOGETHER)
def _insert_of(count: int) -> str:
    return _insert(", ".join([_values("?" for _ in _VARYING)] * count))


def _insert(values: str) -> str:
    return f"INSERT INTO rows ({', '.join((*_VARYING, *_DEFAULTS))}) VALUES {values}"  # nosec B608  # noqa: S608 - own columns


def _values(placeholders: Iterator[str]) -> str:
    return f"({', '.join((*placeholders, *map(_literal, _DEFAULTS.values())))})"


def _literal(default: bool | int | str) -> str:
    return f"'{default}'" if isinstance(default, str) else str(default).upper()
