"""A source put back as it was before a job first wrote to it: what is asked of writeback, and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.documents import Document
from shared.contracts.message import JobId, Message, Timestamp
from shared.contracts.source import Source

# The SHA-256 of a file in hex; '' where there is no file.
Digest = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{64})?$")]


class RestoreSource(Message):
    """Put the copy from before a job's first write back, on `tally.sources.restore`; answered with a `Reply`.

    Without `digest` nothing is changed, only told. With it the file is replaced if it is still the one of that digest,
    and if nothing but the job's tracking numbers, of which it has `written`, would be lost, unless it is forced.
    """

    job_id: JobId
    source: Source
    written: Annotated[int, Field(ge=0)]
    digest: Digest | None = None
    force: bool = False


class Restoration(Document):
    """What a restore replaces, or has replaced where it is `restored`.

    `backup` is the copy's path, taken at `taken_at`; `digest` tells the file as it was found, '' where it was gone.
    `numbers` is how many different tracking numbers it has that the copy lacks, `other_numbers` how many of them cannot
    be the job's own. What else a restore loses: `changed_rows` of the file that the copy does not have (their numbers,
    the first 20, of `changed`), rows of the copy that the file lacks (`missing`), their order (`moved`), other parts of
    a workbook (`changed_parts`), what `other_jobs` have written since; or all of it that there is, where `unreadable`
    says why it cannot be compared. `kept_as` is the path of the copy that was made of the file replaced.
    """

    job_id: JobId
    path: str
    backup: str
    taken_at: Timestamp
    digest: Digest
    numbers: int = 0
    other_numbers: int = 0
    changed: int = 0
    changed_rows: Annotated[tuple[int, ...], Field(max_length=20)] = ()
    missing: int = 0
    moved: bool = False
    changed_parts: tuple[str, ...] = ()
    other_jobs: tuple[JobId, ...] = ()
    unreadable: str | None = None
    restored: bool = False
    kept_as: str | None = None

    def losses(self) -> list[str]:
        """What a restore loses besides the job's own numbers, in words."""
        told = []
        if self.unreadable is not None:
            told.append(f"it cannot be compared ({self.unreadable})")
        if self.changed:
            rows = ", ".join(str(number) for number in self.changed_rows)
            more = (
                f" and {self.changed - len(self.changed_rows):,} more" if self.changed > len(self.changed_rows) else ""
            )
            told.append(f"{'row' if self.changed == 1 else 'rows'} {rows}{more} changed or added")
        if self.missing:
            told.append(f"{self.missing:,} {'row' if self.missing == 1 else 'rows'} deleted or changed")
        if self.moved:
            told.append("rows moved")
        if self.changed_parts:
            told.append(f"{', '.join(self.changed_parts)} changed")
        if self.other_numbers:
            told.append(f"{self.other_numbers:,} {'number' if self.other_numbers == 1 else 'numbers'} of others")
        if self.other_jobs:
            told.append(f"what job {', '.join(self.other_jobs)} wrote since")
        return told
