"""Control calls: core request and reply on `tally.api.<call>` (DESIGN §3)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from shared.contracts.documents import JobDocument, PreviewRow, RowDocument
from shared.contracts.message import JobId, Message, RowNumber, Timestamp
from shared.contracts.requests import JobRequest
from shared.contracts.restoring import Digest
from shared.contracts.states import JobMode, JobStatus, RowStatus
from shared.errors import MESSAGE_TOO_NEW, ErrorBody
from shared.shipping import Money

# As carriers print them, in groups and in either case, they are still the number that is looked for.
TrackingNumber = Annotated[
    str,
    BeforeValidator(lambda given: "".join(given.split()) if isinstance(given, str) else given),
    StringConstraints(to_upper=True, min_length=1, max_length=40),
]
# Whoever calls names where it listens; nothing else may be published to on its word.
Inbox = Annotated[str, StringConstraints(pattern=r"^_INBOX(\.[A-Za-z0-9_-]+)+$", max_length=200)]
PageSize = Annotated[int, Field(ge=1, le=1000)]


class ListJobs(Message):
    """The newest jobs first; `before` pages on from a job's `created_at`, as an ISO time."""

    status: JobStatus | None = None
    limit: PageSize = 50
    before: str | None = None


class ShowJob(Message):
    """One job, by its id or by the request that made it."""

    job_id: str | None = None
    request_id: str | None = None


class ListRows(Message):
    """A job's rows in order; `after` pages on from a row number."""

    job_id: JobId
    status: RowStatus | None = None
    after: int = 0
    limit: PageSize = 500


class ShowRow(Message):
    """One row, with the evidence of every look-up."""

    job_id: JobId
    row_number: RowNumber


class ControlJob(Message):
    """Approve, reject, pause, resume or cancel a job; `by` goes to the audit log."""

    job_id: JobId
    by: str = ""


class ApproveJob(ControlJob):
    """Approve a job's preview. With `estimate`, the total that was seen, it holds only for that and the source as read.

    Without it nothing is compared.
    """

    estimate: Money | None = None


class RestartJob(Message):
    """Do a job over as a new one, in `mode` or else the job's own; the same job twice is the same new job."""

    job_id: JobId
    mode: JobMode | None = None
    by: str = ""


class ResolveRow(Message):
    """What a person found out about a row in doubt: its tracking number, or null where nothing was bought."""

    job_id: JobId
    row_number: RowNumber
    tracking_number: TrackingNumber | None
    by: str = ""
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class VoidRows(Message):
    """Give the labels of shipped rows back to the carrier; all of them, or none where one has no label.

    With `tracking_number` it is the second label of that number which is voided, of the one row named.
    """

    job_id: JobId
    row_numbers: Annotated[tuple[RowNumber, ...], Field(min_length=1, max_length=500)]
    tracking_number: TrackingNumber | None = None
    by: str = ""


class FetchLabel(Message):
    """Fetch the label of a shipped row from the carrier again, for the label store has lost it."""

    job_id: JobId
    row_number: RowNumber
    by: str = ""


class RestoreJob(Message):
    """Put a job's source back as it was before the job first wrote to it; answered with a `Restoration`.

    Without `digest` it is only told what that replaces; with the digest that was told it is done. `force` does it even
    if more is lost than the job's tracking numbers.
    """

    job_id: JobId
    digest: Digest | None = None
    force: bool = False
    by: str = ""


class PreviewSource(Message):
    """What `request` would cost, without making a job; `limit` rows are listed one by one.

    The caller's inbox `progress` hears of it meanwhile, at least once a second, in `PreviewProgress` messages. With
    `every_row` it gets all rows there, before the answer.
    """

    request: JobRequest
    limit: PageSize = 20
    progress: Inbox | None = None
    every_row: bool = False


class CompareServices(Message):
    """What `request` would cost by each service, answered with a `ComparisonDocument`.

    The caller's inbox `progress` hears of it meanwhile as of a preview.
    """

    request: JobRequest
    progress: Inbox | None = None


class PreviewProgress(Message):
    """How far a preview is: the rows `read`, and of the `to_rate` (null while rows are read) those `rated` or refused.

    `rows` are the next ones of the preview, in order, where every row was asked for.
    """

    read: int
    to_rate: int | None = None
    rated: int = 0
    rows: tuple[PreviewRow, ...] = ()


class VerifyJob(Message):
    """Compare a job's tracking numbers with its source; with `rewrite` those that lack there are written once more."""

    job_id: JobId
    rewrite: bool = True
    by: str = ""


class InspectSource(Message):
    """How the source of `request` is read and mapped, without making a job or asking a carrier.

    The caller's inbox `refused` gets every order that cannot ship, in `RefusedOrders` messages, before the answer.
    """

    request: JobRequest
    refused: Inbox | None = None


class Reply(Message):
    """Every control call's answer: `result` as the call's document, or `error`."""

    result: Any = None
    error: ErrorBody | None = None


def refused_version(answer: bytes) -> ErrorBody | None:
    """The error of an answer that says only that the request was of a version which whoever answered does not know."""
    if MESSAGE_TOO_NEW.code.encode() not in answer:
        return None
    error = Reply.model_validate_json(answer).error
    return error if error is not None and error.code == MESSAGE_TOO_NEW.code else None


class JobList(Message):
    """Jobs, newest first."""

    jobs: tuple[JobDocument, ...]


class RowList(Message):
    """Rows in order; `next_after` is set where more follow."""

    rows: tuple[RowDocument, ...]
    next_after: int | None = None


class AskStatus(Message):
    """Ask every process how it is; with `checks` each looks at what it needs for its work first (up to 2 s)."""

    checks: bool = False


class ServiceStatus(Message):
    """One process of a service, as it answers on `tally.status`.

    `parked` counts how often it left a message of a newer version to an upgraded process. `release` is Tallyman's,
    `at` its clock's time. `lacking` is what keeps it from its work, by the check's name; null where nobody asked.
    """

    name: str
    pid: int
    state: str
    host: str = ""
    parked: int = 0
    release: str = ""
    at: Timestamp | None = None
    lacking: dict[str, str] | None = None
