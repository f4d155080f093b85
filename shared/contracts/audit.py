"""The audit trail as clients read it, and what is found when its chain is checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, StringConstraints

from shared.contracts.api import PageSize
from shared.contracts.documents import Document
from shared.contracts.message import JobId, Message, RowNumber, Timestamp

# Written as it was hashed.
HashedTimestamp = Annotated[Timestamp, PlainSerializer(lambda at: at.isoformat(), return_type=str, when_used="json")]


class ListAudit(Message):
    """A job's audit trail in order, or what it says of one row; `after` pages on from an entry's `seq`."""

    job_id: JobId
    row_number: RowNumber | None = None
    after: Annotated[int, Field(ge=0)] = 0
    limit: PageSize = 500


class AuditRecord(Document):
    """One entry of a job's trail: who did what, when, to which row.

    `hash` is the SHA-256, in hex, of the JSON array of job_id, seq, at, actor, action, row_number, detail and
    previous_hash, without blanks, with sorted keys, in ASCII; `previous_hash` is that of the entry before.
    """

    job_id: JobId
    seq: int
    at: HashedTimestamp
    actor: str
    action: str
    row_number: RowNumber | None = None
    detail: dict[str, Any]
    previous_hash: str
    hash: str


class AuditPage(Message):
    """Entries in order; `next_after` is set where more follow."""

    entries: tuple[AuditRecord, ...]
    next_after: int | None = None


class VerifyAudit(Message):
    """Check the chain of a job's trail; without a job those of all, and that none is gone.

    `head` is what an earlier check told: the register is to have it still.
    """

    job_id: JobId | None = None
    head: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")] | None = None


class AuditFault(Document):
    """Where a trail is not as it was written: at entry `seq` of a job's, or of the register where `job_id` is null."""

    job_id: JobId | None
    seq: int
    fault: Literal["changed", "missing", "moved", "added"]
    what: str


class AuditVerification(Document):
    """What a check found: it is `intact`, or else the first of its `faults`.

    `head` is the hash of the register's last entry: kept elsewhere, it shows later whether all of this was rewritten.
    """

    jobs: int
    entries: int
    intact: bool
    faults: tuple[AuditFault, ...] = ()
    head: str = ""
