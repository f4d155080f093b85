"""What a preview says of orders that are shipped already; pure: nothing here prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.cli.rendering.wording import plural
from shared.contracts.documents import JobDocument, PreviewDocument, RowDocument, ShippedBefore, SkippedBy


@dataclass(frozen=True)
class Repeats:
    """Whose shipments the skipped rows of a batch are, and how many rows ship again.

    `skipped` rows are skipped for that in all; where there are many, `by` tells of the first ones only.
    """

    skipped: int
    by: tuple[SkippedBy, ...]
    again: int = 0

    @classmethod
    def of_preview(cls, preview: PreviewDocument) -> Repeats:
        """Those of a preview without a job."""
        return cls(preview.skipped - preview.refused, preview.skipped_by, preview.shipped_again)

    @classmethod
    def of_job(cls, job: JobDocument, skipped: Iterable[RowDocument]) -> Repeats:
        """Those of a job, from its skipped rows or the first of them."""
        by = Counter(row.shipped_before.job_id for row in skipped if row.shipped_before is not None)
        told = tuple(SkippedBy(job_id=job_id, count=count) for job_id, count in by.most_common())
        return cls(job.rows.skipped - job.rows.refused, told, job.rows.shipped_again)

    def lines(self) -> list[str]:
        """`16 rows are shipped by job k3v9…, 2 have a tracking number in the source; --reship ships them again.`"""
        told = []
        if self.by:
            some = "" if sum(by.count for by in self.by) == self.skipped else "Of the first ones, "
            parts = ", ".join(_skipped_by(by) for by in self.by)
            told.append(f"{some}{parts}; --reship ships them again.")
        if self.again:
            verb = "is" if self.again == 1 else "are"
            told.append(f"{plural(self.again, 'row')} {verb} shipped already and ship again, under a new number.")
        return told


def repeat_notes(rows: Sequence[tuple[int, str | None, ShippedBefore | None]]) -> list[str]:
    """A line for each row that is skipped or ships again, of rows by number, reason to skip and earlier shipment."""
    notes = []
    for number, skipped, before in rows:
        if skipped is not None:
            notes.append(f"Row {number} is skipped: {skipped}")
        elif before is not None:
            place = "the source has" if before.job_id is None else f"job {before.job_id}, row {before.row_number}, has"
            notes.append(f"Row {number} ships again: {place} {', '.join(before.tracking_numbers)}")
    return notes


def _skipped_by(by: SkippedBy) -> str:
    rows = plural(by.count, "row")
    if by.job_id is None:
        return f"{rows} {'has' if by.count == 1 else 'have'} a tracking number in the source"
    return f"{rows} {'is' if by.count == 1 else 'are'} shipped by job {by.job_id}"
