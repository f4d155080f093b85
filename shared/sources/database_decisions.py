"""What becomes of a table's row when a change comes for it: decided here, without touching any database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import SOURCE_CHANGED, TallyError
from shared.sources.changes import RowChange, wanted_texts
from shared.sources.rows import TRACKING_COLUMNS

_NUMBER = TRACKING_COLUMNS[0]


@dataclass(frozen=True)
class StandingRow:
    """A row as it stands in its table: the texts of its tracking columns, and the value of the one with the number."""

    tracking: Mapping[str, str]
    number: Any
    checksum: str


@dataclass(frozen=True)
class Marked:
    """The change that was written last for a row of a job, as it is marked: its version and its number, if any."""

    version: int
    number: str | None


def wanted_in(
    row: StandingRow | None, marked: Marked | None, change: RowChange, label: str, *, is_view: bool = False
) -> dict[str, str] | None:
    """The texts that `change` still has to put into the row's tracking columns; None where there is nothing to do.

    So it is where a newer change is in, and where a view shows the row no more that its number was written to: many a
    view is one of the orders without a number. Raises E-4010 where the row is gone otherwise or no longer what was
    shipped, E-4012 where another number stands there.
    """
    if marked is not None and marked.version > change.row_version:
        return None
    if row is None and is_view and marked is not None and marked.number == change.values.tracking_number:
        return None
    if row is None or not (_holds_own_number(row, change) or row.checksum == change.checksum):
        shown = change.values.tracking_number or "(none)"
        raise TallyError(SOURCE_CHANGED, row_number=change.source_row, path=label, tracking_number=shown)
    return wanted_texts(row.tracking, change, label)


def _holds_own_number(row: StandingRow, change: RowChange) -> bool:
    """Whether a number of this order stands there: then it is its row, whatever else became of it since.

    Many a table notes in a column of its own when a row was last updated, or that its parcel was sent.
    """
    standing = row.tracking.get(_NUMBER, "").strip()
    return bool(standing) and standing in {change.values.tracking_number, *change.replaces}
