"""A job's life as whoever watches sees it, on `tally.events.<job>.<type>` (DESIGN §3)."""

from __future__ import annotations

from enum import StrEnum

from shared.contracts.documents import JobDocument, RowDocument
from shared.contracts.message import JobId, Message, Timestamp
from shared.contracts.states import JobStatus
from shared.errors import ErrorBody


class EventType(StrEnum):
    """What happened; every type but `accepted`, `rejected` and `progress` is the state the job entered."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PROGRESS = "progress"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    COMPLETED_WITH_WARNINGS = "completed_with_warnings"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @classmethod
    def entered(cls, status: JobStatus) -> EventType:
        """The event that says a job entered `status`."""
        return cls.ACCEPTED if status is JobStatus.PENDING else cls(status.value)


class JobEvent(Message):
    """One event. A rejection has an `error` and no `job`; its `job_id` is null where the request had no usable id.

    Nothing in an event tells who a shipment goes to: `last_row` has no recipient, destination, evidence or warnings.
    """

    type: EventType
    at: Timestamp
    job_id: JobId | None
    request_id: str | None = None
    job: JobDocument | None = None
    last_row: RowDocument | None = None
    error: ErrorBody | None = None
