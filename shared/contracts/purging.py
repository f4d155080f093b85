"""Purging: a job's personal data, labels and ledger entries removed once it is long over; counts and hashes stay."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.contracts.documents import Document
from shared.contracts.message import JobId, Message, Timestamp
from shared.contracts.states import JobStatus
from shared.errors import ErrorBody


class PlanPurge(Message):
    """Which jobs have been over for longer than `older_than` seconds, and can be purged."""

    older_than: Annotated[float, Field(ge=0, le=1e10)]


class PurgeableJob(Document):
    """A job that can be purged; `begun` says that a purge of it was cut short and is to be finished."""

    job_id: JobId
    name: str
    status: JobStatus
    ended_at: Timestamp | None
    rows: int
    begun: bool = False


class KeptJob(Document):
    """A job that is as old and is not purged, and why."""

    job_id: JobId
    name: str
    status: JobStatus
    reason: str


class PurgePlan(Document):
    """The jobs that ended `before` a moment, oldest first; `more` follow once these are purged."""

    before: Timestamp
    jobs: tuple[PurgeableJob, ...] = ()
    kept: tuple[KeptJob, ...] = ()
    more: bool = False


class PurgeJob(Message):
    """Purge a job that ended `before` a moment; one whose purge was cut short is finished."""

    job_id: JobId
    before: Timestamp
    by: str = ""


class PurgedJob(Document):
    """What a purge removed: the data of so many rows, so many labels and invoices."""

    job_id: JobId
    rows: int
    labels: int


class RewriteDatabase(Message):
    """Have the job database's file written anew, so that nothing deleted is left in it; answered with `Rewritten`."""


class Rewritten(Document):
    """Whether the job database did it; a server keeps its files itself."""

    rewritten: bool


class DropLabels(Message):
    """Delete a job's labels and invoices from the label store, on `tally.labels.drop`; some at a time."""

    job_id: JobId


class LabelsDropped(Message):
    """How many were deleted; `more` says that some are left, `error` why."""

    dropped: int = 0
    more: bool = False
    error: ErrorBody | None = None
