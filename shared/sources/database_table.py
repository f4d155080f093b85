"""A table of orders as its database describes it: its columns, what tells its rows apart, its tracking columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Inspector,
    TableClause,
    cast,
    column,
    func,
    inspect,
    or_,
    select,
    table,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import REAL, Double, NullType, Text

from shared.contracts.source import DatabaseSource, source_label
from shared.errors import KEY_REFUSED, NO_KEY, TABLE_NOT_FOUND, TallyError
from shared.sources.database_connection import printable
from shared.sources.database_values import is_key_type
from shared.sources.header import Header, read_header
from shared.sources.rows import tracking_column


@dataclass(frozen=True)
class OrdersTable:
    """A table or view of orders: `name` as its catalogue spells it, with its schema unless that is the default one.

    `values` are its columns as they are selected; `key` holds the positions of those that tell a row apart, `optional`
    of those that may be NULL.
    """

    label: str
    name: str
    clause: TableClause
    columns: tuple[ColumnClause[Any], ...]
    values: tuple[ColumnElement[Any], ...]
    header: Header
    key: tuple[int, ...]
    optional: frozenset[int]
    is_view: bool

    @property
    def key_columns(self) -> list[ColumnClause[Any]]:
        """The columns that tell a row apart."""
        return [self.columns[index] for index in self.key]

    @cached_property
    def key_names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.header.names[index] for index in self.key)

    @cached_property
    def tracking(self) -> dict[str, ColumnClause[Any]]:
        """The tracking columns it has."""
        return {name: self.columns[index] for name, index in self.header.tracking.items()}


def inspect_table(connection: Connection, source: DatabaseSource) -> OrdersTable:
    """What the database says of the table or view that `source` names.

    Raises E-1004 (two columns have one name but for its case), E-1042 (there is no such table), E-1043 (it has no key)
    or E-1044 (the key named tells no rows apart).
    """
    inspector = inspect(connection)
    schema, name, is_view = _find(inspector, source)
    label = source_label(source)
    described = inspector.get_columns(name, schema)
    columns = tuple(column(quoted_name(each["name"], quote=True), each["type"]) for each in described)
    header = read_header([each["name"] for each in described], label)
    full_name = name if schema is None else f"{schema}.{name}"
    quoted_schema = None if schema is None else quoted_name(schema, quote=True)
    clause = table(quoted_name(name, quote=True), *columns, schema=quoted_schema)
    key = _key(inspector, schema, name, header, source, label)
    orders = OrdersTable(
        label=label,
        name=full_name,
        clause=clause,
        columns=columns,
        values=tuple(_value(each, connection.dialect.name).label(f"c{index}") for index, each in enumerate(columns)),
        header=header,
        key=key,
        optional=frozenset(index for index, each in enumerate(described) if each["nullable"]),
        is_view=is_view,
    )
    _check_key(connection, orders)
    return orders


def _value(each: ColumnClause[Any], dialect: str) -> ColumnElement[Any]:
    """A column as the driver gives it: no type of SQLAlchemy's has a say in its text.

    PostgreSQL's `real` is what it prints, 1.1, which a driver that takes its bytes reads as 1.100000023841858.
    """
    kind = each.type.data_type if isinstance(each.type, DOMAIN) else each.type
    is_short = dialect == "postgresql" and isinstance(kind, REAL)
    return type_coerce(cast(cast(each, Text), Double) if is_short else each, NullType())


def check_unique(connection: Connection, orders: OrdersTable) -> None:
    """Raise E-1044 where two rows have the same key, or one has none."""
    keys = orders.key_columns
    empty = or_(*(each.is_(None) for each in keys))
    counts = select(func.count().label("count")).select_from(orders.clause)
    if connection.execute(counts.where(empty)).scalar_one():
        raise _refused(orders, "it is empty in some rows")
    if connection.execute(counts.group_by(*keys).having(func.count() > 1).limit(1)).first() is not None:
        raise _refused(orders, "several rows have the same value")


def _find(inspector: Inspector, source: DatabaseSource) -> tuple[str | None, str, bool]:
    """Schema (None for the default one), name, and whether it is a view."""
    for schema, wanted in _readings(inspector, source.table):
        for names, is_view in ((inspector.get_table_names(schema), False), (inspector.get_view_names(schema), True)):
            if (name := _pick(names, wanted)) is not None:
                return schema, name, is_view
    raise TallyError(TABLE_NOT_FOUND, connection=source.connection, table=printable(source.table))


def _readings(inspector: Inspector, text: str) -> Iterator[tuple[str | None, str]]:
    """What `text` may mean: a table of the default schema, or of the one before a dot, its first one first."""
    yield None, text
    schemas = inspector.get_schema_names() if "." in text else ()
    for dot in (index for index, char in enumerate(text) if char == "."):
        if (schema := _pick(schemas, text[:dot])) is not None:
            yield None if schema == inspector.default_schema_name else schema, text[dot + 1 :]


def _pick(names: Sequence[str], wanted: str) -> str | None:
    """The one of `names` that is `wanted`, or the only one that is but for its case."""
    if wanted in names:
        return wanted
    alike = [name for name in names if name.casefold() == wanted.casefold()]
    return alike[0] if len(alike) == 1 else None


def _key(
    inspector: Inspector, schema: str | None, name: str, header: Header, source: DatabaseSource, label: str
) -> tuple[int, ...]:
    if source.key is not None:
        found = _pick(header.names, source.key.strip())
        if not found:
            raise TallyError(KEY_REFUSED, key=printable(source.key), path=label, reason="there is no such column")
        return (header.names.index(found),)
    names = inspector.get_pk_constraint(name, schema)["constrained_columns"]
    if not names:
        raise TallyError(NO_KEY, path=label)
    return tuple(header.names.index(each.strip()) for each in names)


def _check_key(connection: Connection, orders: OrdersTable) -> None:
    for each in orders.key_columns:
        if tracking_column(each.name) is not None:
            raise _refused(orders, "it is a tracking column")
        if not each.name.strip() or not is_key_type(each.type, connection.dialect.name):
            raise _refused(orders, "its type does not allow it")


def _refused(orders: OrdersTable, reason: str) -> TallyError:
    return TallyError(KEY_REFUSED, key=", ".join(orders.key_names), path=orders.label, reason=reason)
