"""What writeback asks of a place that tracking numbers go to, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.commands import WrittenValues
from shared.contracts.source import Source
from shared.contracts.writeback import RowWritten
from shared.errors import ErrorBody


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


class Target(Protocol):
    """A kind of source that can be written to."""

    def apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        """Bring all `changes` into `source` in one atomic step; one report for each, in their order.

        Of several changes of one place the greatest `row_version` counts. Applying a change again changes nothing. A
        row that cannot be written is reported as failed and keeps none of the others back. Blocks: call it in a thread.
        """


def apply_newest(
    changes: Sequence[RowChange], write: Callable[[Sequence[RowChange]], Sequence[ErrorBody | None]]
) -> list[RowWritten]:
    """Have `write` write the newest change of each place, and report on them all; it gives their failures, if any."""
    newest = {change.place: change for change in changes}
    for change in changes:
        newest[change.place] = max(newest[change.place], change, key=lambda one: one.row_version)
    errors = dict(zip(newest, write(list(newest.values())), strict=True))
    return [
        change.written() if error is None else change.failed(error)
        for change in changes
        for error in [errors[change.place]]
    ]
