"""A table of a named connection as a snapshot: one statement, streamed by a server-side cursor, every column as text.

Conditions run on the snapshot as they do for files (docs/decisions/0007-databases.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from shared.contracts.source import DatabaseSource, source_label
from shared.errors import KEY_REFUSED, SOURCE_EMPTY, TABLE_UNREADABLE, TallyError
from shared.sources.csv_records import MAX_RECORD
from shared.sources.database_connection import Connections
from shared.sources.database_marks import has_marks, marked_numbers
from shared.sources.database_table import OrdersTable, check_unique, inspect_table
from shared.sources.database_values import text_of
from shared.sources.rows import join_key
from shared.sources.snapshot_table import SpooledSnapshot
from shared.sources.spool import line_of, spool

_FETCH = 1000  # rows fetched at a time
_LONGEST_KEY = 400  # characters; the job database keeps it


def resolve_table(source: DatabaseSource, connections: Connections) -> DatabaseSource:
    """The same source named for good, as the settings and the catalogue spell it. Raises E-1004 or E-1040 to E-1047."""
    database = connections.find(source.connection)
    try:
        with database.reading() as connection:
            orders = inspect_table(connection, source)
    except SQLAlchemyError as error:
        raise TallyError(TABLE_UNREADABLE, path=source_label(source), reason=database.reason(error)) from error
    key = None if source.key is None else orders.key_names[0]
    return source.model_copy(update={"connection": database.name, "table": orders.name, "key": key})


def open_table(source: DatabaseSource, connections: Connections) -> SpooledSnapshot:
    """A snapshot of a table or view, its rows in the order of their keys; to be closed.

    Raises E-1003 (it has no rows), E-1004, or E-1040 to E-1047.
    """
    database = connections.find(source.connection)
    label = source_label(source)
    try:
        with database.reading() as connection:
            orders = inspect_table(connection, source)
            if source.key is not None:
                check_unique(connection, orders)
            rows = spool(label, map(line_of, _rows(connection, orders)))
    except SQLAlchemyError as error:
        raise TallyError(TABLE_UNREADABLE, path=label, reason=database.reason(error)) from error
    return SpooledSnapshot(label, orders.header.columns, rows, key=orders.key_names)


def marked_in_view(
    source: DatabaseSource, connections: Connections, job_id: str, rows: Sequence[int]
) -> dict[int, set[str | None]]:
    """The numbers that are marked as written to `rows` of a job through a view; none where `source` is a table.

    Raises E-1004, or E-1040 to E-1047.
    """
    database = connections.find(source.connection)
    try:
        with database.reading() as connection:
            if not (inspect_table(connection, source).is_view and has_marks(connection)):
                return {}
            return marked_numbers(connection, job_id, rows)
    except SQLAlchemyError as error:
        raise TallyError(TABLE_UNREADABLE, path=source_label(source), reason=database.reason(error)) from error


def _rows(connection: Connection, orders: OrdersTable) -> Iterator[list[str]]:
    """The texts of every named column, row by row."""
    statement = select(*orders.values).order_by(*orders.key_columns)
    streamed = connection.execution_options(stream_results=True, yield_per=_FETCH).execute(statement)
    number = 0
    for number, values in enumerate(streamed, start=1):
        texts = [text_of(values[index]) for index in orders.header.positions]
        _check_key(orders, number, values)
        if sum(map(len, texts)) > MAX_RECORD:
            reason = f"row {number} has more than {MAX_RECORD} characters"
            raise TallyError(TABLE_UNREADABLE, path=orders.label, reason=reason)
        yield texts
    if number == 0:
        raise TallyError(SOURCE_EMPTY, path=orders.label, what="has no rows")


def _check_key(orders: OrdersTable, number: int, values: Sequence[Any]) -> None:
    texts = [text_of(values[index]) for index in orders.key]
    if not all(texts):
        reason = f"it is empty in row {number}"
    elif len(join_key(texts)) > _LONGEST_KEY:
        reason = f"it is longer than {_LONGEST_KEY} characters in row {number}"
    else:
        return
    raise TallyError(KEY_REFUSED, key=", ".join(orders.key_names), path=orders.label, reason=reason)
