"""Inserts rows by the driver's own means: a job may have a million of them, and a statement's clauses cost the most."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from services.coordinator.database.new_rows import StoredRow
from services.coordinator.database.tables import rows
from services.coordinator.identity import reference_for
from shared.contracts.states import RowStatus

_VARYING = (
    "job_id",
    "row_number",
    "reference",
    "source_row",
    "row_key",
    "checksum",
    "others",
    "recipient",
    "destination",
    "reservation_key",
    "shipment",
    "service",
    "warnings",
    "order_mark",
    "contents_mark",
    "status",
    "error",
    "shipped_before",
    "replaces",
)
_DEFAULTS = {
    column.name: column.default.arg for column in rows.columns if isinstance(column.default, ScalarElementColumnDefault)
}
_COLUMNS = (*_VARYING, *_DEFAULTS)


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
        *as_stored, skipped, before, replaces = row
        yield (
            job_id,
            number,
            reference_for(installation, job_id, number),
            *as_stored,
            (RowStatus.PENDING if skipped is None else RowStatus.SKIPPED).value,
            _json(skipped),
            _json(before),
            json.dumps(replaces) if replaces else None,
            *defaults,
        )


def _json(model: BaseModel | None) -> str | None:
    return None if model is None else json.dumps(model.model_dump(mode="json"))
