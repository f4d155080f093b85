"""What writeback asks of a place that tracking numbers go to, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from shared.contracts.source import Source
from shared.contracts.writeback import RowWritten
from shared.errors import ErrorBody
from shared.sources.changes import RowChange


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
