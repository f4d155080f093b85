"""What a purge does in the job database: personal data go, counts, costs, numbers and hashes stay.

A purge is begun in one transaction, from which on nothing of the job is shipped, voided or written any more; its rows
are then stripped page by page, and the last transaction says that it is done. Whoever dies in between leaves a purge
that is begun, and the next one finishes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update

from services.coordinator import states
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import attempts, jobs, rows, second_labels
from services.coordinator.database.trail import JobTransaction
from services.coordinator.records.retention import JobAge, reason_to_keep
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import NOT_PURGEABLE, REGISTRY, TallyError

_PURGED = "Purged."
_RESUMABLE = (JobStatus.FAILED.value, JobStatus.PAUSED.value, JobStatus.INTERRUPTED.value)

# What is left of a row, an attempt and a job; a test holds these and the tables together.
STRIPPED_ROW: Mapping[str, Any] = {
    "others": None,
    "shipment": "",
    "recipient": "",
    "destination": "",
    "label_key": None,
    "label_due": False,
    "label_keys": None,
    "invoice_key": None,
    "evidence": None,
    "contents_mark": None,
    "replaces": None,
}
STRIPPED_ATTEMPT: Mapping[str, Any] = {"error": None, "evidence": None}
STRIPPED_JOB: Mapping[str, Any] = {"request": {}, "notes": None}
# Changed value by value.
REDUCED_COLUMNS = {"rows": {"row_key", "error", "write_back_error", "shipped_before", "warnings"}, "jobs": {"error"}}

_UPDATE_ROW = update(rows).where(rows.c.job_id == bindparam("b_job_id"), rows.c.row_number == bindparam("b_row_number"))


@dataclass(frozen=True)
class Removed:
    """What a purge removed."""

    rows: int
    labels: int


def ages(connection: Connection, before: datetime, limit: int) -> list[JobAge]:
    """The jobs that are not purged and were made, or where they are over ended, before a moment.

    Those that are over come first, the oldest before the others; a purge that was begun is among them whatever its age.
    """
    old = or_(
        jobs.c.ended_at < before,
        jobs.c.ended_at.is_(None) & (jobs.c.created_at < before),
        jobs.c.purge_began_at.is_not(None),
    )
    query = _ages().where(old).order_by(jobs.c.ended_at.is_(None), jobs.c.created_at, jobs.c.job_id).limit(limit)
    return [_age(connection, found) for found in connection.execute(query).all()]


def begin(connection: Connection, job_id: str, before: datetime, by: str, now: datetime) -> bool:
    """Begin the purge of a job, or go on with one that was begun; False where it is purged already.

    Raises E-4003, or E-4041 where the job is to be kept.
    """
    job = JobTransaction.open(connection, job_id, now)
    found = connection.execute(_ages().where(jobs.c.job_id == job_id)).one_or_none()
    if found is None:
        return False
    age = _age(connection, found)
    reason = reason_to_keep(age, before)
    if reason is not None:
        raise TallyError(NOT_PURGEABLE, job_id=job_id, reason=reason)
    if age.begun:
        return True
    job.changes["purge_began_at"] = now
    # Nothing more is to come into the label store.
    connection.execute(update(rows).where(rows.c.job_id == job_id, rows.c.label_due).values(label_due=False))
    job.trail.add("job.purge_began", actor=by or "unknown", ended_before=before.isoformat())
    job.close()
    return True


def strip_rows(connection: Connection, job_id: str, after: int, limit: int) -> int | None:
    """Strip the next rows of a job of personal data; the number of the last one, None where none is left."""
    found = connection.execute(
        select(
            rows.c.row_number,
            rows.c.row_key,
            rows.c.error,
            rows.c.write_back_error,
            rows.c.shipped_before,
            rows.c.warnings,
        )
        .where(rows.c.job_id == job_id, rows.c.row_number > after)
        .order_by(rows.c.row_number)
        .limit(limit)
    ).all()
    if not found:
        return None
    last: int = found[-1].row_number
    connection.execute(
        _UPDATE_ROW,
        [
            {
                **STRIPPED_ROW,
                "b_job_id": job_id,
                "b_row_number": row.row_number,
                "row_key": hashed_key(row.row_key),
                "error": without_values(row.error),
                "write_back_error": without_values(row.write_back_error),
                "shipped_before": _by_a_job(row.shipped_before),
                "warnings": without_words(row.warnings),
            }
            for row in found
        ],
    )
    connection.execute(
        update(attempts)
        .where(attempts.c.job_id == job_id, attempts.c.row_number.between(found[0].row_number, last))
        .values(**STRIPPED_ATTEMPT)
    )
    return last


def finish(connection: Connection, job_id: str, removed: Removed, by: str, now: datetime) -> Step:
    """Say that a job is purged, and what was removed; not where a late sale has come in between."""
    job = JobTransaction.open(connection, job_id, now)
    found = connection.execute(select(jobs.c.error, jobs.c.purged_at).where(jobs.c.job_id == job_id)).one()
    if found.purged_at is not None or _has_late_sale(connection, job_id):
        return Step(job_id)
    job.changes |= {**STRIPPED_JOB, "error": without_values(found.error), "purged_at": now}
    job.trail.add("job.purged", actor=by or "unknown", rows=removed.rows, labels=removed.labels)
    job.milestone = "purged"
    return close(job)


def _has_late_sale(connection: Connection, job_id: str) -> bool:
    """Whether a sale was recorded behind the page that stripped its row; its label is still stored."""
    stored = rows.c.label_key.is_not(None) | rows.c.label_due
    found = connection.execute(select(rows.c.row_number).where(rows.c.job_id == job_id, stored).limit(1))
    return found.first() is not None


def hashed_key(key: str) -> str:
    """What is left of a row's key: a number names nobody, any other key of a table may be somebody's."""
    return key if key.isascii() and key.isdigit() else hashlib.sha256(key.encode()).hexdigest()


def without_values(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An error's code and title, without the values that its words have."""
    if error is None:
        return None
    kind = REGISTRY.get(error["code"])
    return {"code": error["code"], "message": f"{kind.title if kind else error['code']}.", "row": error.get("row")}


def without_words(warnings: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Which warnings a row had, and about which fields, without their words and suggestions."""
    if warnings is None:
        return None
    return [{"code": each["code"], "message": _PURGED, "field": each.get("field", "")} for each in warnings]


def _by_a_job(before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """An earlier shipment of another job; one that only the source knew may have anything for a number."""
    return before if before is not None and before["job_id"] is not None else None


def _ages() -> Any:
    mine = rows.c.job_id == jobs.c.job_id
    voiding = (second_labels.c.job_id == jobs.c.job_id) & (second_labels.c.status == RowStatus.VOIDING.value)
    is_open = mine & rows.c.status.in_(states.OPEN_ROWS)
    is_due = mine & (rows.c.write_back == WriteBackStatus.DUE.value)
    return select(
        jobs.c.job_id,
        jobs.c.name,
        jobs.c.status,
        jobs.c.ended_at,
        jobs.c.total,
        jobs.c.purge_began_at,
        jobs.c.source_hash,
        jobs.c.created_at,
        (_count(rows.c.row_number, is_open) + _count(second_labels.c.row_number, voiding)).label("open_rows"),
        _count(rows.c.row_number, is_due).label("due"),
    ).where(jobs.c.purged_at.is_(None))


def _count(column: Any, condition: Any) -> Any:
    return select(func.count(column)).where(condition).correlate(jobs).scalar_subquery()


def _age(connection: Connection, found: Any) -> JobAge:
    return JobAge(
        job_id=found.job_id,
        name=found.name,
        status=JobStatus(found.status),
        ended_at=found.ended_at,
        rows=found.total,
        begun=found.purge_began_at is not None,
        open_rows=found.open_rows,
        due=found.due,
        unfinished=tuple(_unfinished(connection, found)),
    )


def _unfinished(connection: Connection, found: Any) -> Sequence[str]:
    """The earlier jobs of the same source that can still be resumed, where the keys of its rows will be hashed.

    What a job resumes is told from what a later one corrected and shipped by the rows' keys.
    """
    keys = connection.execute(select(rows.c.row_key).where(rows.c.job_id == found.job_id).limit(1)).scalars().all()
    if all(hashed_key(key) == key for key in keys):
        return ()
    earlier = (
        select(jobs.c.job_id)
        .where(
            jobs.c.source_hash == found.source_hash,
            jobs.c.created_at < found.created_at,
            jobs.c.purge_began_at.is_(None),
            jobs.c.status.in_(_RESUMABLE),
            jobs.c.started_at.is_not(None),
        )
        .order_by(jobs.c.created_at)
    )
    return connection.execute(earlier).scalars().all()
