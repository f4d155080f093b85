"""Whether tracking numbers could be written back into a table: asked before anything is bought."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnClause, Connection, false, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from shared.contracts.source import DatabaseSource, source_label
from shared.errors import NO_TRACKING_COLUMNS, TABLE_NOT_WRITABLE, TallyError
from shared.sources.database_connection import Connections, Database, printable
from shared.sources.database_marks import MARKS, has_marks, try_marking
from shared.sources.database_table import OrdersTable, inspect_table
from shared.sources.database_values import holds_text, moment_kind
from shared.sources.rows import TRACKING_COLUMNS

_NUMBER, _SHIPPED_AT = TRACKING_COLUMNS
_SHORTEST_NUMBER = 18  # characters of a UPS tracking number
_NEW_TYPES = {
    "postgresql": ("VARCHAR(64)", "TIMESTAMPTZ"),
    "sqlite": ("TEXT", "TEXT"),
    "mysql": ("VARCHAR(64)", "DATETIME"),
    "mariadb": ("VARCHAR(64)", "DATETIME"),
}


def check_table_writable(source: DatabaseSource, connections: Connections) -> None:
    """Raise E-1045 for a table without tracking columns, E-1046 for one that cannot be updated.

    Nothing is changed: what is tried is tried in a transaction that is rolled back. Raises E-1040 to E-1044 as reading
    does.
    """
    database = connections.find(source.connection)
    try:
        with database.reading() as connection:
            orders = inspect_table(connection, source)
            _check_columns(connection, orders)
            _check_kind(connection, orders)
        with database.trying() as connection:
            _try_update(connection, orders)
            if database.marks_wanted and has_marks(connection):
                _try_marking(connection, database, orders)
    except SQLAlchemyError as error:
        raise _not_writable(source_label(source), database.reason(error)) from error


def _check_columns(connection: Connection, orders: OrdersTable) -> None:
    if orders.header.missing:
        todo = "Add them to the view." if orders.is_view else f"Run: {_alteration(connection, orders)}"
        columns = " and no column ".join(orders.header.missing)
        raise TallyError(NO_TRACKING_COLUMNS, path=orders.label, columns=columns, todo=todo)
    dialect = connection.dialect.name
    number, shipped_at = orders.tracking[_NUMBER], orders.tracking[_SHIPPED_AT]
    if dialect != "sqlite" and not holds_text(number.type, _SHORTEST_NUMBER):
        raise _not_writable(orders.label, f"its column {number.name} does not hold a text of {_SHORTEST_NUMBER}")
    if moment_kind(shipped_at.type, dialect) is None:
        raise _not_writable(orders.label, f"its column {shipped_at.name} holds neither a time nor a text")


def _check_kind(connection: Connection, orders: OrdersTable) -> None:
    dialect = connection.dialect.name
    if orders.is_view and dialect == "sqlite":
        raise _not_writable(orders.label, "it is a view, which SQLite does not update")
    if not orders.is_view and dialect in {"mysql", "mariadb"}:
        options = inspect(connection).get_table_options(str(orders.clause.name), orders.clause.schema)
        engine = str(options.get(f"{dialect}_engine", "InnoDB"))
        if engine.upper() != "INNODB":
            raise _not_writable(orders.label, f"its storage engine {engine} has no transactions")


def _try_update(connection: Connection, orders: OrdersTable) -> None:
    """Update the tracking columns to what they are: of one row in SQLite, where only that tells, of none elsewhere."""
    key = orders.key_columns[0]
    which = key.in_(select(key).select_from(orders.clause).limit(1)) if connection.dialect.name == "sqlite" else false()
    same: dict[ColumnClause[Any], Any] = {each: each for each in orders.tracking.values()}
    connection.execute(select(key).select_from(orders.clause).where(false()).with_for_update())
    connection.execute(update(orders.clause).where(which).values(same))


def _try_marking(connection: Connection, database: Database, orders: OrdersTable) -> None:
    try:
        try_marking(connection)
    except SQLAlchemyError as error:
        remedy = "grant that, or set mark_table = false for the connection to do without"
        reason = f"{MARKS.name} beside it may not be used ({database.reason(error)}): {remedy}"
        raise _not_writable(orders.label, reason) from error


def _alteration(connection: Connection, orders: OrdersTable) -> str:
    dialect = connection.dialect
    name = dialect.identifier_preparer.format_table(orders.clause)
    types = dict(zip(TRACKING_COLUMNS, _NEW_TYPES[dialect.name], strict=True))
    additions = [f"ADD COLUMN {each} {types[each]}" for each in orders.header.missing]
    joined = f"; ALTER TABLE {name} ".join(additions) if dialect.name == "sqlite" else ", ".join(additions)
    return printable(f"ALTER TABLE {name} {joined};")


def _not_writable(label: str, reason: str) -> TallyError:
    return TallyError(TABLE_NOT_WRITABLE, path=label, reason=reason)
