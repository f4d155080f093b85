"""Inserts rows by the driver's own means: a job may have a million of them, and a statement's clauses cost the most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from services.coordinator.database.new_rows import STORED, StoredRow
from services.coordinator.database.tables import rows
from services.coordinator.identity import reference_for

_NUMBERED = (
    "job_id",
    "row_number",
    "reference",
)
_DEFAULTS = {
    column.name: column.default.arg for column in rows.columns if isinstance(column.default, ScalarElementColumnDefault)
}
_COLUMNS = (*_NUMBERED, *STORED, *_DEFAULTS)


def _insert(placeholders: Iterable[str]) -> str:
    return f"INSERT INTO rows ({', '.join(_COLUMNS)}) VALUES ({', '.join(placeholders)})"  # noqa: S608 - own columns


_INSERT = {
    "sqlite": _insert("?" for _ in _COLUMNS),
    "postgresql": _insert(f"${place}" for place in range(1, len(_COLUMNS) + 1)),
}


def insert_rows(connection: Connection, installation: str, job_id: str, first: int, batch: Sequence[StoredRow]) -> None:
    """Insert a job's rows, numbered from `first`, as part of the connection's transaction."""
    records = list(_records(installation, job_id, first, batch))
    connection.exec_driver_sql(_INSERT[connection.dialect.name], records)


def _records(installation: str, job_id: str, first: int, batch: Sequence[StoredRow]) -> Iterator[tuple[Any, ...]]:
    defaults = tuple(_DEFAULTS.values())
    for number, row in enumerate(batch, start=first):
        yield (job_id, number, reference_for(installation, job_id, number), *row, *defaults)
