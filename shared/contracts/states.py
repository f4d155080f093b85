"""The states a job, a row and a row's write-back can be in (the transitions are the coordinator's)."""

from enum import StrEnum


class JobStatus(StrEnum):
    """A job's state."""

    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    COMPLETED_WITH_WARNINGS = "completed_with_warnings"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RowStatus(StrEnum):
    """A row's state."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    SHIPPED = "shipped"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SKIPPED = "skipped"
    VOIDING = "voiding"
    VOIDED = "voided"


class WriteBackStatus(StrEnum):
    """How far a shipped row's tracking number is on its way into the source; `none` before it ships.

    `removed` says that it is left out of there: a person had the source put back as it was before, or the number of a
    later job that shipped the order again stands in its place.
    """

    NONE = "none"
    DUE = "due"
    WRITTEN = "written"
    FAILED = "failed"
    REMOVED = "removed"


class JobMode(StrEnum):
    """`confirm` waits for approval of the preview, `auto` does not."""

    CONFIRM = "confirm"
    AUTO = "auto"


class InterruptPolicy(StrEnum):
    """What becomes of a running job when every coordinator was down."""

    ASK = "ask"
    RESUME = "resume"
