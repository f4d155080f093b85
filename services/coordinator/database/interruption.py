"""Tells a coordinator that starts whether any other was there before it, and interrupts jobs where none was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import coordinators, installation, jobs, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.database.turns import take_turns
from shared.contracts.ledger import KnownLedger
from shared.contracts.states import InterruptPolicy, JobStatus, RowStatus
from shared.errors import INTERRUPTED, TallyError


@dataclass(frozen=True)
class Presence:
    """One coordinator: its id, the supervisor's run it belongs to, and for how long a heartbeat of it counts."""

    coordinator_id: str
    house_run: str
    counts_for: timedelta


def remembered_ledger(connection: Connection) -> KnownLedger:
    """The latest ledger that is known of, its epoch empty for none, and how far it is known to have come."""
    found = connection.execute(select(installation.c.ledger_epoch, installation.c.ledger_mark)).first()
    if found is None:
        return KnownLedger(epoch="", sequence=0)
    return KnownLedger(epoch=found.ledger_epoch, sequence=found.ledger_mark)


def remember_ledger(connection: Connection, ledger: KnownLedger) -> None:
    """Note how far the ledger has come."""
    known = (installation.c.ledger_epoch == ledger.epoch) & (installation.c.ledger_mark >= ledger.sequence)
    values = {"ledger_epoch": ledger.epoch, "ledger_mark": ledger.sequence}
    connection.execute(update(installation).where(~known), values)


def distrust(connection: Connection) -> int:
    """Have every row that may still ship looked up before it is bought, as it may be shipped already; how many."""
    unsure = [RowStatus.PENDING.value, RowStatus.IN_FLIGHT.value, RowStatus.FAILED.value]
    found = connection.execute(update(rows).where(rows.c.status.in_(unsure), ~rows.c.recover), {"recover": True})
    return found.rowcount


def knows_sale(connection: Connection, job_id: str, row_number: int, tracking_numbers: Sequence[str]) -> bool:
    """Whether a row has these numbers already."""
    place = (rows.c.job_id == job_id) & (rows.c.row_number == row_number)
    found = connection.scalar(select(rows.c.tracking_numbers).where(place))
    return found is not None and list(found) == list(tracking_numbers)


def knows_attempt(connection: Connection, job_id: str, row_number: int, attempt: int) -> bool:
    """Whether a row has come to this attempt."""
    place = (rows.c.job_id == job_id) & (rows.c.row_number == row_number)
    found = connection.scalar(select(rows.c.attempt).where(place))
    return found is not None and found >= attempt


def catch_up_with_attempt(connection: Connection, job_id: str, row_number: int, attempt: int) -> int:
    """Have a row that may still ship know of an attempt that the ledger knows; how many rows did not: 0 or 1.

    A row that is to be put in flight gets this attempt then, for which the shipper has its outcome already; a command
    of an older one would be dropped.
    """
    waiting = [RowStatus.PENDING.value, RowStatus.FAILED.value, RowStatus.IN_DOUBT.value]
    place = (rows.c.job_id == job_id) & (rows.c.row_number == row_number)
    in_flight = (rows.c.status == RowStatus.IN_FLIGHT.value) & (rows.c.attempt < attempt)
    to_start = rows.c.status.in_(waiting) & (rows.c.attempt < attempt - 1)
    started = connection.execute(update(rows).where(place, in_flight), {"attempt": attempt, "recover": True})
    unstarted = connection.execute(update(rows).where(place, to_start), {"attempt": attempt - 1, "recover": True})
    return started.rowcount + unstarted.rowcount


def beat(connection: Connection, presence: Presence, now: datetime, ledger: KnownLedger | None = None) -> None:
    """Note that the coordinator lives and, where it knows, how far the `ledger` has come."""
    if ledger is not None:
        remember_ledger(connection, ledger)
    connection.execute(delete(coordinators).where(coordinators.c.coordinator_id == presence.coordinator_id))
    connection.execute(
        insert(coordinators),
        {"coordinator_id": presence.coordinator_id, "house_run": presence.house_run, "seen_at": now},
    )


def arrive(connection: Connection, presence: Presence, now: datetime) -> list[Step]:
    """Note that a coordinator starts; where no other one was there, its running jobs are interrupted.

    A coordinator of the same run that was seen a moment ago means that its supervisor restarts it: nobody has to be
    asked. A job at its last row has nothing left to ask about. Of coordinators that start together the first one does.
    """
    take_turns(connection, "arrive")
    alone = (
        connection.execute(
            select(coordinators.c.coordinator_id)
            .where(coordinators.c.house_run == presence.house_run, coordinators.c.seen_at > now - presence.counts_for)
            .limit(1)
        ).first()
        is None
    )
    connection.execute(delete(coordinators).where(coordinators.c.seen_at <= now - presence.counts_for))
    beat(connection, presence, now)
    if not alone:
        return []
    running = connection.execute(
        select(jobs.c.job_id)
        .where(jobs.c.status == JobStatus.RUNNING.value, jobs.c.cursor < jobs.c.total)
        .order_by(jobs.c.job_id)
    ).scalars()
    return [step for job_id in running.all() if (step := _interrupt(connection, job_id, now)) is not None]


def _interrupt(connection: Connection, job_id: str, now: datetime) -> Step | None:
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.RUNNING:
        return None
    in_flight = connection.execute(
        select(rows.c.row_number).where(rows.c.job_id == job_id, rows.c.status == RowStatus.IN_FLIGHT.value).limit(1)
    ).scalar()
    error = None if in_flight is None else TallyError(INTERRUPTED, row=in_flight).body
    job.enter(JobStatus.INTERRUPTED, error=error)
    if job.on_interrupt is InterruptPolicy.RESUME:
        job.enter(JobStatus.RUNNING, actor="on_interrupt")
    return close(job)
