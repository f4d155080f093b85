"""The table of Tallyman's own in a database of orders, in which each write-back is marked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, DateTime, Integer, MetaData, String, Table, false, inspect, select

_AT_ONCE = 500  # rows that one statement asks for

MARKS = Table(
    "tally_write_backs",
    MetaData(),
    Column("job_id", String(40), primary_key=True),
    Column("job_row", Integer, primary_key=True, autoincrement=False),
    Column("source_row", Integer, primary_key=True, autoincrement=False),
    Column("orders_table", String(200), nullable=False),
    Column("row_key", String(400), nullable=False),
    Column("row_version", Integer, nullable=False),
    Column("tracking_number", String(64)),
    Column("written_at", DateTime(timezone=True), nullable=False),
    # In MySQL only such tables have transactions.
    mysql_engine="InnoDB",
    mariadb_engine="InnoDB",
    mysql_charset="utf8mb4",
    mariadb_charset="utf8mb4",
)


def has_marks(connection: Connection) -> bool:
    """Whether the connection's default schema has the table, and its user may see it."""
    return MARKS.name in inspect(connection).get_table_names()


def marked_numbers(connection: Connection, job_id: str, rows: Sequence[int]) -> dict[int, set[str | None]]:
    """The numbers that are marked for each of a job's `rows`, one for each row of the source that is the same order.

    Rows that are not marked are missing.
    """
    found: dict[int, set[str | None]] = {}
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        statement = select(MARKS.c.job_row, MARKS.c.tracking_number)
        for row, number in connection.execute(statement.where(MARKS.c.job_id == job_id, MARKS.c.job_row.in_(some))):
            found.setdefault(row, set()).add(number)
    return found


def try_marking(connection: Connection) -> None:
    """Read and write the table without touching a row of it; raises SQLAlchemy's error where that is refused."""
    connection.execute(MARKS.update().where(false()).values(row_version=0))
    connection.execute(MARKS.insert().from_select(list(MARKS.columns), select(MARKS).where(false())))
