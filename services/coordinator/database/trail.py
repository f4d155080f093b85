"""One job's transaction: its row locked, its audit trail carried on, its changes written once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import PurePath
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, bindparam, insert, select, update

from services.coordinator import states
from services.coordinator.database import register
from services.coordinator.database.tables import audit, jobs
from services.coordinator.records.audit import AuditTrail
from shared.contracts.calls import CarrierCall
from shared.contracts.source import DatabaseSource, Source, source_label
from shared.contracts.states import InterruptPolicy, JobStatus, RowStatus
from shared.errors import ILLEGAL_TRANSITION, JOB_NOT_FOUND, PURGED, ErrorBody, TallyError

_source: TypeAdapter[Source] = TypeAdapter(Source)

_SELECT_JOB = select(
    jobs.c.status,
    jobs.c.cursor,
    jobs.c.total,
    jobs.c.source,
    jobs.c.source_hash,
    jobs.c.source_checked,
    jobs.c.intake,
    jobs.c.request,
    jobs.c.restart_of,
    jobs.c.purge_began_at,
    jobs.c.audit_seq,
    jobs.c.audit_head,
    jobs.c.created_at,
    jobs.c.started_at,
    jobs.c.on_interrupt,
).where(jobs.c.job_id == bindparam("job_id"))
# Serialises a job's transactions on PostgreSQL; SQLite has one writer and ignores it.
_LOCK_JOB = _SELECT_JOB.with_for_update()
# What was ordered that leads to a state, as a person reads it.
_ORDERS = {JobStatus.RUNNING: "Resuming", JobStatus.PAUSED: "Pausing", JobStatus.CANCELLED: "Cancelling"}
_INSERT_AUDIT = insert(audit)
_UPDATE_JOB = update(jobs).where(jobs.c.job_id == bindparam("b_job_id"))


@dataclass(frozen=True)
class Ended:
    """What an attempt of a row came to; `began` is when it was put in flight, None for one that had ended before."""

    row_number: int
    attempt: int
    outcome: RowStatus
    began: datetime | None
    carrier_ms: float | None = None
    error: str | None = None


@dataclass
class JobTransaction:
    """A job as one transaction sees and changes it."""

    connection: Connection
    job_id: str
    now: datetime
    status: JobStatus
    cursor: int
    total: int
    source: dict[str, Any] | None
    source_hash: str
    source_checked: bool
    intake: str
    reship: bool
    restart_of: str | None
    created_at: datetime
    started_at: datetime | None
    on_interrupt: InterruptPolicy
    trail: AuditTrail
    is_purged: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    entered: JobStatus | None = None
    check_due: bool = False
    milestone: register.Milestone | None = None
    ended: Ended | None = None

    @classmethod
    def open(cls, connection: Connection, job_id: str, now: datetime) -> JobTransaction:
        """Lock the job; raises E-4003 where there is none."""
        return cls._of(connection, job_id, now, _LOCK_JOB)

    @classmethod
    def seen(cls, connection: Connection, job_id: str, now: datetime) -> JobTransaction:
        """The job as it is, which others may change meanwhile: for reading only. Raises E-4003 where there is none."""
        return cls._of(connection, job_id, now, _SELECT_JOB)

    @classmethod
    def _of(
        cls, connection: Connection, job_id: str, now: datetime, wanted: Select[*tuple[Any, ...]]
    ) -> JobTransaction:
        found = connection.execute(wanted, {"job_id": job_id}).one_or_none()
        if found is None:
            raise TallyError(JOB_NOT_FOUND, job_id=job_id)
        return cls(
            connection=connection,
            job_id=job_id,
            now=now,
            status=JobStatus(found.status),
            cursor=found.cursor,
            total=found.total,
            source=found.source,
            source_hash=found.source_hash,
            source_checked=found.source_checked,
            intake=found.intake,
            reship=bool(found.request.get("reship", False)),
            restart_of=found.restart_of,
            created_at=found.created_at,
            started_at=found.started_at,
            on_interrupt=InterruptPolicy(found.on_interrupt),
            trail=AuditTrail(job_id, found.audit_seq, found.audit_head, now),
            is_purged=found.purge_began_at is not None,
        )

    @cached_property
    def parsed_source(self) -> Source:
        """The job's source."""
        return _source.validate_python(self.source)

    def expect_kept(self, action: str) -> None:
        """Raise E-4040 where the job is purged: what `action` needs is gone, or going."""
        if self.is_purged:
            raise TallyError(PURGED, action=action, job_id=self.job_id)

    @cached_property
    def target(self) -> str:
        """Where numbers are written, as the audit trail names it: a file without its folders, or a table."""
        label = source_label(self.parsed_source)
        return label if isinstance(self.parsed_source, DatabaseSource) else PurePath(label).name

    def enter(self, target: JobStatus, *, actor: str = "coordinator", error: ErrorBody | None = None) -> None:
        """Change the job's state, where the table allows it; raises E-4005 where it does not."""
        if target is JobStatus.RUNNING:
            self.expect_kept("Running it")
        if not states.allows(states.JOB, self.status, target):
            raise TallyError(
                ILLEGAL_TRANSITION,
                action=_ORDERS.get(target, f"Becoming {target}"),
                job_id=self.job_id,
                status=self.status,
            )
        self.trail.add(f"job.{target}", actor=actor, was=self.status, error=None if error is None else error.code)
        was_complete = self.status in states.COMPLETE_JOBS
        self.status = self.entered = target
        self.changes["status"] = target.value
        self.changes["error"] = None if error is None else error.model_dump(mode="json")
        if target is JobStatus.RUNNING:
            self.changes["ended_at"] = None
            if self.started_at is None:
                self.changes["started_at"] = self.now
        elif not was_complete and target in states.ENDED_JOBS:
            self.changes["ended_at"] = self.now
        if target in states.ENDED_JOBS:
            self.milestone = "ended"

    def note_calls(self, row_number: int, calls: Iterable[CarrierCall]) -> None:
        """Put the calls made to the carrier for a row into the trail."""
        for call in calls:
            self.trail.add(
                f"carrier.{call.kind}",
                actor="shipper",
                row=row_number,
                called_at=call.at.isoformat(timespec="milliseconds"),
                request_id=call.request_id,
                carrier_id=call.carrier_id,
                status=call.status,
                sent=call.sent,
                ms=call.ms,
            )

    def advance(self, cursor: int) -> None:
        """Move the cursor forward to `cursor`."""
        if cursor > self.cursor:
            self.cursor = self.changes["cursor"] = cursor

    def close(self) -> None:
        """Write the job's changes and the new audit entries."""
        if self.trail.entries:
            self.connection.execute(
                _INSERT_AUDIT,
                [
                    {
                        "job_id": entry.job_id,
                        "seq": entry.seq,
                        "at": entry.at,
                        "actor": entry.actor,
                        "action": entry.action,
                        "row_number": entry.row_number,
                        "detail": entry.detail,
                        "previous_hash": entry.previous_hash,
                        "hash": digest,
                    }
                    for entry, digest in zip(self.trail.entries, self.trail.hashes, strict=True)
                ],
            )
            self.changes |= {"audit_seq": self.trail.seq, "audit_head": self.trail.head}
        if self.milestone is not None:
            register.enter(self.connection, self.job_id, self.milestone, self.trail.seq, self.trail.head, self.trail.at)
        if self.changes:
            self.connection.execute(_UPDATE_JOB, {"b_job_id": self.job_id, **self.changes})
