"""Orders of earlier jobs that are like others by their marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, text

from services.coordinator.database.having import bound, having
from services.coordinator.database.tables import COUNTED_AS_SIMILAR
from services.coordinator.database.types import UtcDateTime
from services.coordinator.intake.duplicates import EarlierOrder, SimilarOrders
from services.coordinator.intake.marks import Marks
from shared.contracts.states import RowStatus

# Written into the statement, not bound: else no database can tell that the marks' indices will do.
_COUNTED = ", ".join(f"'{status}'" for status in COUNTED_AS_SIMILAR)
_COLUMNS = "job_id, row_number, status, reservation_key, order_mark, contents_mark"
_ORDER, _CONTENTS = "order_mark", "contents_mark"
_SINCE = "coalesce(shipped_at, in_flight_at)"


def similar_orders(connection: Connection, marks: Sequence[tuple[str, str]], contents_since: datetime) -> SimilarOrders:
    """The newest order with a label, or on its way to one, by each order number and each address with contents.

    Those with the same address and contents only count since `contents_since`: whoever is sent the same every month is
    no duplicate.
    """
    query = text(newest_by_marks(connection)).bindparams(bindparam("since", type_=UtcDateTime))
    asked_for: dict[str, Any] = {
        "orders": bound(order for order, _ in marks if order),
        "contents": bound(contents for _, contents in marks if contents),
        "since": contents_since,
    }
    found: dict[str, list[EarlierOrder]] = {_ORDER: [], _CONTENTS: []}
    for row in connection.execute(query, asked_for):
        found[row.found_by].append(
            EarlierOrder(
                job_id=row.job_id,
                row_number=row.row_number,
                status=RowStatus(row.status),
                reservation_key=row.reservation_key,
                marks=Marks(row.order_mark or "", row.contents_mark or ""),
            )
        )
    return SimilarOrders(found[_ORDER], found[_CONTENTS])


def newest_by_marks(connection: Connection) -> str:
    """SQL for the newest orders by each of `:orders`, and since `:since` by each of `:contents`."""
    by_order = _newest(_ORDER, having(connection, "rows", _ORDER, "orders"))
    by_contents = _newest(_CONTENTS, having(connection, "rows", _CONTENTS, "contents"), f" AND {_SINCE} >= :since")
    return f"{by_order} UNION ALL {by_contents}"


def _newest(mark: str, having_it: str, condition: str = "") -> str:
    return f"""
        SELECT '{mark}' AS found_by, {_COLUMNS} FROM (
            SELECT {_COLUMNS}, row_number() OVER (PARTITION BY {mark} ORDER BY {_SINCE} DESC) AS newest
            FROM {having_it} WHERE status IN ({_COUNTED}){condition}
        ) AS ranked WHERE newest = 1"""  # nosec B608  # noqa: S608 - own words
