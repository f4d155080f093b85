"""Whether a job may be purged, as one pure function: never while anything of it is still to be settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.coordinator import states
from shared.contracts.states import JobStatus


@dataclass(frozen=True)
class JobAge:
    """What decides whether a job may be purged.

    `open_rows` are with the carrier or in doubt, labels being voided included; `due` write-backs wait to be written.
    `unfinished` are earlier jobs of the same source that can still be resumed, where their rows are told from this
    one's by keys that the purge would hash.
    """

    job_id: str
    name: str
    status: JobStatus
    ended_at: datetime | None
    rows: int
    begun: bool
    open_rows: int
    due: int
    unfinished: tuple[str, ...] = ()


def reason_to_keep(job: JobAge, before: datetime) -> str | None:
    """Why a job is not purged although it is that old; None where it may be.

    A purge that was begun is always finished.
    """
    is_over = job.status in states.ENDED_JOBS and job.ended_at is not None
    reasons = (
        (not is_over, f"it is {job.status.replace('_', ' ')}"),
        (job.ended_at is not None and job.ended_at >= before, "it ended later"),
        (job.open_rows > 0, f"{_rows(job.open_rows)} with the carrier or in doubt"),
        (job.due > 0, f"{_rows(job.due)} still to be written back"),
        (bool(job.unfinished), f"job {''.join(job.unfinished[:1])} of the same source can still be resumed"),
    )
    return None if job.begun else next((reason for holds, reason in reasons if holds), None)


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"
