"""The rows of a table while they are written to, in one transaction: locked and read, then updated and marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnClause, ColumnElement, Connection, and_, literal, or_, select, type_coerce, update
from sqlalchemy.types import NullType, String, TypeEngine

from shared.sources.changes import RowChange
from shared.sources.database_decisions import Marked, StandingRow
from shared.sources.database_marks import MARKS
from shared.sources.database_table import OrdersTable
from shared.sources.database_values import MomentKind, key_value, moment_kind, stored_moment, text_of
from shared.sources.rows import TRACKING_COLUMNS, join_key, row_checksum, split_key

_NUMBER, _SHIPPED_AT = TRACKING_COLUMNS
_AT_ONCE = 500  # rows that one statement asks for

# What was written back before, by job, row of the job and row of the source.
Marks = dict[tuple[str, int, int], Marked]


class LockedRows:
    """The rows with certain keys, locked until the transaction ends; where a key finds several rows, none counts.

    Raises SQLAlchemy's errors. `orders` has both tracking columns.
    """

    def __init__(self, connection: Connection, orders: OrdersTable, keys: Sequence[str]) -> None:
        self._connection = connection
        self._orders = orders
        self._dialect = connection.dialect.name
        self._rows: dict[str, StandingRow | None] = {}
        known = [of_key for key in keys if (of_key := self._key_values(key)) is not None]
        for some in _chunks(known):
            statement = select(*orders.values).where(self._among(some)).order_by(*orders.key_columns)
            for values in connection.execute(statement.with_for_update()):
                key = join_key([text_of(values[index]) for index in orders.key])
                self._rows[key] = None if key in self._rows else self._standing(values)

    def get(self, key: str) -> StandingRow | None:
        """The row as it stands."""
        return self._rows.get(key)

    def update(self, key: str, wanted: Mapping[str, str]) -> bool:
        """Put `wanted` texts into a row's tracking columns, if its number is still what it was; whether it was so."""
        row, of_key = self._rows[key], self._key_values(key)
        assert row is not None
        assert of_key is not None
        values = {self._orders.tracking[name]: self._stored(name, text) for name, text in wanted.items()}
        unchanged = self._equals(self._orders.tracking[_NUMBER], row.number)
        result = self._connection.execute(update(self._orders.clause).where(self._is(of_key), unchanged).values(values))
        if result.rowcount != 1:
            return False
        number = wanted.get(_NUMBER, row.number)
        self._rows[key] = StandingRow({**row.tracking, **wanted}, number or None, row.checksum)
        return True

    def _standing(self, values: Sequence[Any]) -> StandingRow:
        header = self._orders.header
        texts = {header.names[index]: text_of(values[index]) for index in header.positions}
        return StandingRow(
            tracking={name: text_of(values[index]) for name, index in header.tracking.items()},
            number=values[header.tracking[_NUMBER]],
            checksum=row_checksum(texts),
        )

    def _key_values(self, key: str) -> list[Any] | None:
        """The values of the key columns; None where their types have none with such a text."""
        columns = self._orders.key_columns
        try:
            texts = split_key(key, len(columns))
            return [key_value(text, each.type, self._dialect) for text, each in zip(texts, columns, strict=True)]
        except (ValueError, ArithmeticError):
            return None

    def _among(self, keys: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
        columns = self._orders.key_columns
        if len(columns) == 1:
            return type_coerce(columns[0], self._kind(columns[0])).in_([key[0] for key in keys])
        return or_(*(self._is(key) for key in keys))

    def _is(self, key: Sequence[Any]) -> ColumnElement[bool]:
        return and_(*(self._equals(each, value) for each, value in zip(self._orders.key_columns, key, strict=True)))

    def _equals(self, column: ColumnClause[Any], value: Any) -> ColumnElement[bool]:
        kind = self._kind(column)
        return column.is_(None) if value is None else type_coerce(column, kind) == literal(value, kind)

    def _kind(self, column: ColumnClause[Any]) -> TypeEngine[Any]:
        # SQLite compares by what is stored, whatever the column is declared as.
        return NullType() if self._dialect == "sqlite" else column.type

    def _stored(self, name: str, text: str) -> Any:
        column = self._orders.tracking[name]
        kind = String() if self._dialect == "sqlite" else column.type
        if not text:
            empty = None if self._orders.header.tracking[name] in self._orders.optional else ""
            return literal(empty, kind)
        if name == _SHIPPED_AT:
            moment = moment_kind(column.type, self._dialect)
            assert moment is not None
            return literal(stored_moment(datetime.fromisoformat(text), moment), kind)
        return literal(text, kind)


def read_marks(connection: Connection, changes: Sequence[RowChange]) -> Marks:
    """What was marked for the rows of `changes`."""
    numbers: dict[str, list[int]] = {}
    for change in changes:
        numbers.setdefault(change.job_id, []).append(change.row_number)
    place = (MARKS.c.job_id, MARKS.c.job_row, MARKS.c.source_row)
    found: Marks = {}
    for job_id, of_job in numbers.items():
        for some in _chunks(of_job):
            statement = select(*place, MARKS.c.row_version, MARKS.c.tracking_number).where(
                MARKS.c.job_id == job_id, MARKS.c.job_row.in_(some)
            )
            found |= {(row[0], row[1], row[2]): Marked(row[3], row[4]) for row in connection.execute(statement)}
    return found


def mark(connection: Connection, orders: OrdersTable, change: RowChange, marks: Marks, now: datetime) -> None:
    """Note that `change` is written, in the transaction that writes it; nothing where that is noted."""
    job_id, job_row, source_row = change.place
    noted = Marked(change.row_version, change.values.tracking_number)
    if marks.get(change.place) == noted:
        return
    kind: MomentKind = "zoned moment" if connection.dialect.name == "postgresql" else "moment"
    values = {
        "row_version": change.row_version,
        "tracking_number": change.values.tracking_number,
        "written_at": stored_moment(now, kind),
    }
    if change.place in marks:
        this_row = and_(MARKS.c.job_id == job_id, MARKS.c.job_row == job_row, MARKS.c.source_row == source_row)
        connection.execute(MARKS.update().where(this_row).values(values))
    else:
        named = {"job_id": job_id, "job_row": job_row, "source_row": source_row, "row_key": change.row_key}
        connection.execute(MARKS.insert(), {**named, "orders_table": orders.name, **values})
    marks[change.place] = noted


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
