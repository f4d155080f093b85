"""Orders of earlier jobs that are like others by their marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Connection, Select, bindparam, func, select

from services.coordinator.database.one_of import one_of
from services.coordinator.database.tables import COUNTED_AS_SIMILAR, rows
from services.coordinator.intake.duplicates import EarlierOrder
from services.coordinator.intake.marks import Marks
from shared.contracts.states import RowStatus

# Written into the statement, not bound: else no database can tell that the marks' indices will do.
_COUNTED: BindParameter[Any] = bindparam("counted", COUNTED_AS_SIMILAR, expanding=True, literal_execute=True)
_SINCE = func.coalesce(rows.c.shipped_at, rows.c.in_flight_at)


def similar_orders(
    connection: Connection, marks: Sequence[tuple[str, str]], contents_since: datetime
) -> list[EarlierOrder]:
    """The newest order with a label, or on its way to one, by each order number and each address with contents.

    Those with the same address and contents only count since `contents_since`: whoever is sent the same every month is
    no duplicate.
    """
    orders = one_of(connection, rows.c.order_mark, [order for order, _ in marks if order])
    contents = one_of(connection, rows.c.contents_mark, [contents for _, contents in marks if contents])
    by_order = newest(rows.c.order_mark, orders)
    by_contents = newest(rows.c.contents_mark, contents, contents_since <= _SINCE)
    found = {
        (row.job_id, row.row_number): row for query in (by_order, by_contents) for row in connection.execute(query)
    }
    return [
        EarlierOrder(
            job_id=row.job_id,
            row_number=row.row_number,
            status=RowStatus(row.status),
            reservation_key=row.reservation_key,
            marks=Marks(row.order_mark or "", row.contents_mark or ""),
        )
        for row in found.values()
    ]


def newest(mark: Column[Any], *conditions: ColumnElement[bool]) -> Select[Any]:
    """Of the rows that meet the conditions the newest by each mark."""
    rank = func.row_number().over(partition_by=mark, order_by=_SINCE.desc()).label("rank")
    ranked = (
        select(
            rows.c.job_id,
            rows.c.row_number,
            rows.c.status,
            rows.c.reservation_key,
            rows.c.order_mark,
            rows.c.contents_mark,
            rank,
        )
        .where(rows.c.status.in_(_COUNTED), *conditions)
        .subquery()
    )
    return select(ranked).where(ranked.c.rank == 1)
