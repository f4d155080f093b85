"""The four books of a job: the job database, the ledger stream, the source file, the carrier's own ledger."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.engine import Engine

from services.coordinator.database.tables import audit, jobs, reservations, rows
from services.coordinator.records.audit import AuditEntry
from shared.contracts import subjects
from shared.contracts.ledger import Claimed, Failed, InDoubt, Shipped, ledger_entry
from shared.sources.rows import tracking_column
from tests.crash.bell import PATIENCE

Entry = Claimed | Shipped | Failed | InDoubt


@dataclass(frozen=True)
class Row:
    """A row as the job database has it."""

    number: int
    source_row: int
    status: str
    attempt: int
    reference: str
    tracking_numbers: tuple[str, ...]
    label_key: str | None
    label_due: bool
    write_back: str
    error: Mapping[str, Any] | None
    evidence: tuple[Mapping[str, Any], ...]
    reserved: bool


@dataclass(frozen=True)
class Job:
    """A job as the job database has it, with its rows and audit trail."""

    job_id: str
    status: str
    cursor: int
    total: int
    error: Mapping[str, Any] | None
    rows: tuple[Row, ...]
    trail: tuple[AuditEntry, ...]
    hashes: tuple[str, ...]
    head: str


@dataclass(frozen=True)
class Sale:
    """A shipment in the carrier's ledger."""

    reference: str
    tracking_numbers: tuple[str, ...]
    voided: bool
    created_at: datetime


@dataclass(frozen=True)
class Books:
    """What the four say of one job.

    `ledger` and `late` are the entries by row number, in order; `source` is the file as it was submitted and as it is.
    """

    job: Job
    ledger: Mapping[int, Sequence[Entry]]
    late: Mapping[int, Sequence[Entry]]
    submitted: bytes
    source: bytes
    sales: Sequence[Sale]
    labels: frozenset[str]


class JobDatabase:
    """Reads a rig's job database beside the coordinators, whose bus may be away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")

        @event.listens_for(self._engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA busy_timeout=15000")

    def job_of(self, request_id: str) -> str | None:
        """The id of the job that a request made."""
        if not self.path.exists():
            return None
        with self._engine.connect() as connection:
            return connection.scalar(select(jobs.c.job_id).where(jobs.c.request_id == request_id))

    def progress(self, job_id: str) -> tuple[str, int, int]:
        """A job's status, its cursor, and how many of its rows are written back."""
        with self._engine.connect() as connection:
            status, cursor = connection.execute(
                select(jobs.c.status, jobs.c.cursor).where(jobs.c.job_id == job_id)
            ).one()
            written = connection.scalar(
                select(func.count()).where(rows.c.job_id == job_id, rows.c.write_back == "written")
            )
            return status, cursor, written or 0

    def under_way(self, job_id: str) -> int:
        """How many of a job's rows are in flight or due to be written back."""
        with self._engine.connect() as connection:
            busy = (rows.c.status == "in_flight") | (rows.c.write_back == "due")
            return connection.scalar(select(func.count()).where(rows.c.job_id == job_id, busy)) or 0

    def job(self, job_id: str) -> Job:
        """A job with everything about it."""
        with self._engine.connect() as connection:
            found = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one()
            held = set(
                connection.scalars(select(reservations.c.row_number).where(reservations.c.job_id == job_id)).all()
            )
            its_rows = connection.execute(select(rows).where(rows.c.job_id == job_id).order_by(rows.c.row_number))
            entries = connection.execute(select(audit).where(audit.c.job_id == job_id).order_by(audit.c.seq)).all()
            return Job(
                job_id=job_id,
                status=found.status,
                cursor=found.cursor,
                total=found.total,
                error=found.error,
                rows=tuple(
                    Row(
                        number=row.row_number,
                        source_row=row.source_row,
                        status=row.status,
                        attempt=row.attempt,
                        reference=row.reference,
                        tracking_numbers=tuple(row.tracking_numbers or ()),
                        label_key=row.label_key,
                        label_due=row.label_due,
                        write_back=row.write_back,
                        error=row.error,
                        evidence=tuple(row.evidence or ()),
                        reserved=row.row_number in held,
                    )
                    for row in its_rows
                ),
                trail=tuple(
                    AuditEntry(
                        entry.job_id,
                        entry.seq,
                        entry.at,
                        entry.actor,
                        entry.action,
                        entry.row_number,
                        entry.detail,
                        entry.previous_hash,
                    )
                    for entry in entries
                ),
                hashes=tuple(entry.hash for entry in entries),
                head=found.audit_head,
            )


@stamina.retry(on=(NatsError, APIError, TimeoutError), attempts=None, timeout=PATIENCE, wait_max=1.0)
async def read_ledger(client: Client, pattern: str) -> dict[int, list[Entry]]:
    """Every entry under `pattern` (a job's subjects in the ledger stream), by row number, in order."""
    js = client.jetstream(timeout=10)
    info = await js.stream_info(subjects.LEDGER, subjects_filter=pattern)
    waiting = sum((info.state.subjects or {}).values())
    found: dict[int, list[Entry]] = {}
    if not waiting:
        return found
    subscription = await js.subscribe(
        pattern, stream=subjects.LEDGER, ordered_consumer=True, config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    )
    try:
        for _ in range(waiting):
            message = await subscription.next_msg(timeout=30)
            row_number = int(message.subject.rsplit(".", 1)[1])
            found.setdefault(row_number, []).append(ledger_entry.validate_json(message.data))
    finally:
        await subscription.unsubscribe()
    return found


def sales(shipments: Sequence[Mapping[str, Any]]) -> tuple[Sale, ...]:
    """The sandbox's shipments."""
    return tuple(
        Sale(
            reference=sold["reference"],
            tracking_numbers=tuple(sold["tracking_numbers"]),
            voided=sold["voided"],
            created_at=datetime.fromisoformat(sold["created_at"]),
        )
        for sold in shipments
    )


def tracking_numbers(source: bytes) -> list[str]:
    """The tracking number of every data row of a CSV file; '' where it has none."""
    records = list(csv.DictReader(io.StringIO(source.decode("utf-8"), newline="")))
    return [_tracking_of(record) for record in records]


def without_tracking(source: bytes) -> list[list[str]]:
    """A CSV file's records without its tracking columns."""
    header, *records = list(csv.reader(io.StringIO(source.decode("utf-8"), newline="")))
    kept = [index for index, name in enumerate(header) if tracking_column(name) is None]
    return [[record[index] for index in kept if index < len(record)] for record in (header, *records)]


def _tracking_of(record: Mapping[str, str | None]) -> str:
    values = (value or "" for name, value in record.items() if tracking_column(name) == "tracking_number")
    return next(values, "")
