"""What a write-back changes in a source, and what a row's tracking columns are to say, given what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.contracts.commands import SourcePlace, WritebackCommand, WrittenValues
from shared.contracts.writeback import RowWritten
from shared.errors import TRACKING_CONFLICT, ErrorBody, TallyError
from shared.sources.rows import TRACKING_COLUMNS

_NUMBER, _SHIPPED_AT = TRACKING_COLUMNS


@dataclass(frozen=True)
class RowChange:
    """What is to stand in one row's tracking columns.

    `source_row`, `row_key` and `checksum` tell the row apart as it was read at intake (shared/sources/rows.py). Only a
    number in `replaces` may be overwritten or cleared; any other one that stands there is a conflict. `order_number` is
    what a file beside the source calls the row.
    """

    job_id: str
    row_number: int
    source_row: int
    row_key: str
    checksum: str
    row_version: int
    values: WrittenValues
    replaces: tuple[str, ...] = ()
    order_number: str = ""

    @property
    def place(self) -> tuple[str, int, int]:
        """The job, its row and the row of the source: one order may be several rows of that."""
        return self.job_id, self.row_number, self.source_row

    def written(self) -> RowWritten:
        """The report that it stands there now."""
        return RowWritten(
            job_id=self.job_id, row_number=self.row_number, row_version=self.row_version, status="written"
        )

    def failed(self, error: ErrorBody) -> RowWritten:
        """The report that it could not be written."""
        return RowWritten(
            job_id=self.job_id, row_number=self.row_number, row_version=self.row_version, status="failed", error=error
        )


def changes_of(command: WritebackCommand) -> list[RowChange]:
    """A change for each row that the order of `command` has in its source."""
    own = SourcePlace(source_row=command.source_row, row_key=command.row_key, checksum=command.checksum)
    return [
        RowChange(
            job_id=command.job_id,
            row_number=command.row_number,
            source_row=place.source_row,
            row_key=place.row_key,
            checksum=place.checksum,
            row_version=command.row_version,
            values=command.values,
            replaces=command.replaces,
            order_number=command.order_number,
        )
        for place in (own, *command.others)
    ]


def wanted_texts(present: Mapping[str, str], change: RowChange, label: str) -> dict[str, str]:
    """The texts that `change` still has to put into tracking columns that say `present`; none where all is as it is.

    Raises E-4012 where another number stands there, one that the change does not replace.
    """
    number = change.values.tracking_number
    standing = present.get(_NUMBER, "").strip()
    if standing not in {"", number, *change.replaces}:
        raise TallyError(TRACKING_CONFLICT, row_number=change.source_row, path=label)
    if number is not None:
        return _filled(present, number, change.values.shipped_at)
    # A time without a number is nobody's to clear: a person took the number out and left it.
    return {column: "" for column, text in present.items() if text} if standing else {}


def _filled(present: Mapping[str, str], number: str, shipped_at: datetime | None) -> dict[str, str]:
    """What is still to be written for `number`; the time stays as it is where the number is already there."""
    same = present.get(_NUMBER, "").strip() == number
    wanted = {} if same else {_NUMBER: number}
    if shipped_at is not None and not (same and present.get(_SHIPPED_AT, "").strip()):
        wanted[_SHIPPED_AT] = shipped_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return wanted
