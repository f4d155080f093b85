"""The row's way through the job database: each step is one short transaction (DESIGN §4.4).

A step says what is to be published after its commit. It is repeatable: run again for the same outcome it changes
nothing and says the same, so whoever dies between commit and publish is healed by redelivery or by the watchdog.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, text, update

from services.coordinator import states
from services.coordinator.database.tables import attempts, reservations, rows
from services.coordinator.database.trail import JobTransaction
from services.coordinator.guards import Verdict, judge
from shared.contracts.commands import ShipCommand, WritebackCommand, WrittenValues
from shared.contracts.ledger import Failed, InDoubt, Outcome, Shipped
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.contracts.writeback import RowWritten
from shared.errors import IN_DOUBT, RESERVED, ErrorBody, TallyError
from shared.shipping import Shipment

AnyRow = Row[*tuple[Any, ...]]

# What a step needs of a row, and no more: every column costs its conversion, on each of a batch's rows.
_STEP_COLUMNS = (
    rows.c.row_number,
    rows.c.source_row,
    rows.c.row_key,
    rows.c.checksum,
    rows.c.reservation_key,
    rows.c.reference,
    rows.c.shipment,
    rows.c.status,
    rows.c.attempt,
    rows.c.in_flight_at,
    rows.c.tracking_numbers,
    rows.c.shipped_at,
    rows.c.write_back,
    rows.c.write_back_version,
)
_SELECT_ROW = select(*_STEP_COLUMNS).where(
    rows.c.job_id == bindparam("job_id"), rows.c.row_number == bindparam("row_number")
)
# One query for an outcome's row and the pending row behind it: the hot path has few statements to spare.
_SELECT_ROW_AND_NEXT = (
    select(*_STEP_COLUMNS)
    .where(
        rows.c.job_id == bindparam("job_id"),
        rows.c.row_number >= bindparam("row_number"),
        (rows.c.row_number == bindparam("row_number")) | (rows.c.status == RowStatus.PENDING.value),
    )
    .order_by(rows.c.row_number)
    .limit(2)
)
_SELECT_NEXT = (
    select(*_STEP_COLUMNS)
    .where(
        rows.c.job_id == bindparam("job_id"),
        rows.c.row_number > bindparam("after"),
        rows.c.status == RowStatus.PENDING.value,
    )
    .order_by(rows.c.row_number)
    .limit(1)
)
_SELECT_WRITE_BACKS = select(rows.c.row_number, rows.c.write_back, rows.c.write_back_version).where(
    rows.c.job_id == bindparam("job_id"), rows.c.row_number.in_(bindparam("row_numbers", expanding=True))
)
_UPDATE_ROW = update(rows).where(rows.c.job_id == bindparam("b_job_id"), rows.c.row_number == bindparam("b_row_number"))
_UPDATE_ATTEMPT = update(attempts).where(
    attempts.c.job_id == bindparam("b_job_id"),
    attempts.c.row_number == bindparam("b_row_number"),
    attempts.c.attempt == bindparam("b_attempt"),
)
_INSERT_ATTEMPT = insert(attempts)
_RESERVE = text(
    "INSERT INTO reservations (reservation_key, job_id, row_number) VALUES (:reservation_key, :job_id, :row_number)"
    " ON CONFLICT (reservation_key) DO NOTHING"
)
_HOLDER = (
    select(reservations.c.job_id, reservations.c.row_number, rows.c.status, rows.c.tracking_numbers)
    .join(rows, (rows.c.job_id == reservations.c.job_id) & (rows.c.row_number == reservations.c.row_number))
    .where(reservations.c.reservation_key == bindparam("reservation_key"))
)


@dataclass(frozen=True)
class Issue:
    """What a ship command needs beyond its row: the ledger's epoch and how long the command is good for."""

    epoch: str
    lifetime: timedelta


@dataclass(frozen=True)
class Step:
    """What a transaction asks to have published: commands, and the state the job entered."""

    job_id: str
    ship: ShipCommand | None = None
    writeback: WritebackCommand | None = None
    entered: JobStatus | None = None
    row: int | None = None
    alarm: bool = False


def start(connection: Connection, job_id: str, actor: str, now: datetime, issue: Issue) -> Step:
    """Approve a job: it runs, its first row is in flight."""
    job = JobTransaction.open(connection, job_id, now)
    job.enter(JobStatus.RUNNING, actor=actor)
    ship = _start_next(job, issue)
    return _close(job, ship=ship)


def resume(connection: Connection, job_id: str, actor: str, now: datetime, issue: Issue) -> Step:
    """Take a failed, paused or interrupted job up again at its row.

    A row still in flight keeps its attempt; a failed row gets a new one. Raises E-4005, or E-3010 while a row is in
    doubt.
    """
    job = JobTransaction.open(connection, job_id, now)
    doubtful = connection.execute(
        select(rows.c.row_number, rows.c.reference)
        .where(rows.c.job_id == job_id, rows.c.status == RowStatus.IN_DOUBT.value)
        .limit(1)
    ).first()
    if doubtful is not None:
        raise TallyError(
            IN_DOUBT, row=doubtful.row_number, reference=doubtful.reference, reason="the row awaits tally resolve"
        )
    job.enter(JobStatus.RUNNING, actor=actor)
    unsettled = connection.execute(
        select(*_STEP_COLUMNS)
        .where(
            rows.c.job_id == job_id,
            rows.c.status.in_([RowStatus.IN_FLIGHT.value, RowStatus.FAILED.value]),
        )
        .order_by(rows.c.row_number)
        .limit(1)
    ).first()
    if unsettled is None:
        return _close(job, ship=_start_next(job, issue))
    if unsettled.status == RowStatus.IN_FLIGHT:
        return _close(job, ship=_ship_command(job, unsettled, unsettled.attempt, issue))
    return _close(job, ship=_start_row(job, unsettled, issue) or _start_next(job, issue))


def record_outcome(connection: Connection, outcome: Outcome, now: datetime, issue: Issue) -> Step:
    """Write a ledger outcome down and, where the job runs, put the next row in flight.

    Returns what is to be published now; for an outcome that was recorded before, what was to be published then.
    """
    job = JobTransaction.open(connection, outcome.job_id, now)
    row, *following = connection.execute(
        _SELECT_ROW_AND_NEXT, {"job_id": outcome.job_id, "row_number": outcome.row_number}
    ).all()
    numbers = outcome.tracking_numbers if isinstance(outcome, Shipped) else ()
    verdict = judge(
        outcome.kind, outcome.attempt, numbers, RowStatus(row.status), row.attempt, row.tracking_numbers or ()
    )
    if verdict is Verdict.IGNORE:
        return Step(outcome.job_id)
    if verdict is Verdict.REPUBLISH:
        return _published_before(job, row, issue)
    if verdict is Verdict.ALARM:
        job.trail.add("row.second_label", row=row.row_number, tracking_numbers=list(numbers), attempt=outcome.attempt)
        job.close()
        return Step(outcome.job_id, row=row.row_number, alarm=True)
    if isinstance(outcome, Shipped):
        adopted = verdict is Verdict.ADOPT
        return _record_shipped(job, row, outcome, issue, adopted=adopted, following=next(iter(following), None))
    return _record_unshipped(job, row, outcome)


def record_written(connection: Connection, job_id: str, written: list[RowWritten], now: datetime) -> Step:
    """Write a flush's outcomes down for one job; the last one may complete it."""
    job = JobTransaction.open(connection, job_id, now)
    reported = {item.row_number: item for item in written}
    known = connection.execute(_SELECT_WRITE_BACKS, {"job_id": job_id, "row_numbers": list(reported)}).all()
    changes = []
    for row in known:
        item = reported[row.row_number]
        target = WriteBackStatus(item.status)
        if row.write_back_version != item.row_version or not states.allows(
            states.WRITE_BACK, WriteBackStatus(row.write_back), target
        ):
            continue
        changes.append(
            {
                "b_job_id": job_id,
                "b_row_number": item.row_number,
                "write_back": target.value,
                "write_back_error": None if item.error is None else item.error.model_dump(mode="json"),
            }
        )
        code = None if item.error is None else item.error.code
        job.trail.add(f"write_back.{target}", actor="writeback", row=item.row_number, error=code)
    if changes:
        connection.execute(_UPDATE_ROW, changes)
    _complete_if_settled(job)
    return _close(job)


def settle(connection: Connection, job_id: str, now: datetime) -> Step:
    """Complete a running job whose rows and write-backs are all settled."""
    job = JobTransaction.open(connection, job_id, now)
    _complete_if_settled(job)
    return _close(job)


def reissue(
    connection: Connection, job_id: str, row_number: int, now: datetime, issue: Issue, *, recover: bool
) -> Step:
    """The ship command of a row that is in flight, anew, under the present epoch; nothing where it is not."""
    job = JobTransaction.open(connection, job_id, now)
    row = connection.execute(_SELECT_ROW, {"job_id": job_id, "row_number": row_number}).one()
    if row.status != RowStatus.IN_FLIGHT:
        return Step(job_id)
    _update_row(job, row_number, {"epoch": issue.epoch, "in_flight_at": now})
    job.trail.add("row.reissued", row=row_number, attempt=row.attempt, recover=recover)
    return _close(job, ship=_ship_command(job, row, row.attempt, issue, recover=recover))


def halt(connection: Connection, job_id: str, target: JobStatus, actor: str, now: datetime) -> Step:
    """Pause, cancel or reject a job: no further row starts; the one in flight is still recorded."""
    job = JobTransaction.open(connection, job_id, now)
    job.enter(target, actor=actor)
    return _close(job)


def _record_shipped(
    job: JobTransaction, row: AnyRow, outcome: Shipped, issue: Issue, *, adopted: bool, following: AnyRow | None
) -> Step:
    version = row.write_back_version + 1
    _update_row(
        job,
        row.row_number,
        {
            "status": RowStatus.SHIPPED.value,
            "shipment_id": outcome.shipment_id,
            "tracking_numbers": list(outcome.tracking_numbers),
            "cost_amount": None if outcome.cost is None else outcome.cost.amount,
            "cost_currency": None if outcome.cost is None else outcome.cost.currency,
            "label_key": outcome.label_key,
            "label_due": outcome.label_due,
            "shipped_at": outcome.shipped_at,
            "error": None,
            "evidence": _evidence(outcome),
            "write_back": WriteBackStatus.DUE.value,
            "write_back_version": version,
            "write_back_at": job.now,
        },
    )
    _end_attempt(job, row, outcome, RowStatus.SHIPPED)
    if adopted:
        # A failed row had given its reservation up.
        job.connection.execute(_RESERVE, _reservation(job, row))
    job.trail.add(
        "row.shipped",
        actor="shipper",
        row=row.row_number,
        attempt=outcome.attempt,
        tracking_numbers=list(outcome.tracking_numbers),
        cost=None if outcome.cost is None else str(outcome.cost),
        adopted=outcome.adopted or adopted,
    )
    if row.row_number == job.cursor + 1:
        job.advance(row.row_number)
    ship = None
    if not adopted and job.status is JobStatus.RUNNING:
        ship = _start_next(job, issue, following)
    writeback = _writeback_command(job, row, version, outcome.tracking_numbers[0], outcome.shipped_at)
    return _close(job, ship=ship, writeback=writeback, row=row.row_number)


def _record_unshipped(job: JobTransaction, row: AnyRow, outcome: Failed | InDoubt) -> Step:
    status = RowStatus.FAILED if isinstance(outcome, Failed) else RowStatus.IN_DOUBT
    error = outcome.error.model_copy(update={"row": row.row_number})
    _update_row(
        job,
        row.row_number,
        {"status": status.value, "error": error.model_dump(mode="json"), "evidence": _evidence(outcome)},
    )
    _end_attempt(job, row, outcome, status, error)
    job.trail.add(f"row.{status}", actor="shipper", row=row.row_number, attempt=outcome.attempt, error=error.code)
    if status is RowStatus.FAILED:
        job.connection.execute(
            reservations.delete().where(
                reservations.c.reservation_key == row.reservation_key, reservations.c.job_id == job.job_id
            )
        )
    if states.allows(states.JOB, job.status, JobStatus.FAILED):
        job.enter(JobStatus.FAILED, error=error)
    return _close(job, row=row.row_number)


def _published_before(job: JobTransaction, row: AnyRow, issue: Issue) -> Step:
    ship = None
    if job.status is JobStatus.RUNNING:
        in_flight = job.connection.execute(
            select(*_STEP_COLUMNS).where(
                rows.c.job_id == job.job_id,
                rows.c.status == RowStatus.IN_FLIGHT.value,
                rows.c.row_number > row.row_number,
            )
        ).first()
        if in_flight is not None:
            ship = _ship_command(job, in_flight, in_flight.attempt, issue)
    writeback = None
    if row.write_back == WriteBackStatus.DUE:
        writeback = writeback_command(job, row)
    return Step(job.job_id, ship=ship, writeback=writeback)


def _start_next(job: JobTransaction, issue: Issue, following: AnyRow | None = None) -> ShipCommand | None:
    """Put the next pending row in flight, passing over those that another job shipped.

    `following` is that row, where it was read already.
    """
    while job.status is JobStatus.RUNNING:
        row = following or job.connection.execute(_SELECT_NEXT, {"job_id": job.job_id, "after": job.cursor}).first()
        following = None
        if row is None:
            job.advance(job.total)
            _complete_if_settled(job)
            return None
        job.advance(row.row_number - 1)
        command = _start_row(job, row, issue)
        if command is not None:
            return command
    return None


def _start_row(job: JobTransaction, row: AnyRow, issue: Issue) -> ShipCommand | None:
    """Reserve the row's order and put the row in flight; None where it is skipped or the job had to fail."""
    if not job.connection.execute(_RESERVE, _reservation(job, row)).rowcount:
        holder = job.connection.execute(_HOLDER, {"reservation_key": row.reservation_key}).one()
        mine = (holder.job_id, holder.row_number) == (job.job_id, row.row_number)
        if not mine and not _take_over(job, row, holder):
            return None
    attempt = row.attempt + 1
    _update_row(
        job,
        row.row_number,
        {
            "status": RowStatus.IN_FLIGHT.value,
            "attempt": attempt,
            "epoch": issue.epoch,
            "in_flight_at": job.now,
            "error": None,
        },
    )
    job.trail.add("row.in_flight", row=row.row_number, attempt=attempt)
    return _ship_command(job, row, attempt, issue)


def _reservation(job: JobTransaction, row: AnyRow) -> dict[str, Any]:
    return {"reservation_key": row.reservation_key, "job_id": job.job_id, "row_number": row.row_number}


def _take_over(job: JobTransaction, row: AnyRow, holder: AnyRow) -> bool:
    """Whether the order may be bought although `holder` reserved it; else the row is skipped or the job fails."""
    status = RowStatus(holder.status)
    if status in {RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING}:
        error = TallyError(
            RESERVED, row=row.row_number, status=status, other_job=holder.job_id, other_row=holder.row_number
        ).body
        _update_row(job, row.row_number, {"error": error.model_dump(mode="json")})
        job.enter(JobStatus.FAILED, error=error)
        return False
    if status is RowStatus.SHIPPED and not job.reship:
        numbers = ", ".join(holder.tracking_numbers or ())
        note = ErrorBody(
            code=RESERVED.code,
            message=f"Already shipped by job {holder.job_id}, row {holder.row_number}: {numbers}.",
            row=row.row_number,
        )
        _update_row(job, row.row_number, {"status": RowStatus.SKIPPED.value, "error": note.model_dump(mode="json")})
        job.trail.add("row.skipped", row=row.row_number, shipped_by=holder.job_id)
        job.advance(row.row_number)
        return False
    job.connection.execute(
        update(reservations).where(reservations.c.reservation_key == row.reservation_key),
        {"job_id": job.job_id, "row_number": row.row_number},
    )
    return True


def _complete_if_settled(job: JobTransaction) -> None:
    if job.status is not JobStatus.RUNNING or job.cursor < job.total:
        return
    unsettled = job.connection.execute(
        select(rows.c.row_number)
        .where(
            rows.c.job_id == job.job_id,
            rows.c.status.in_([state.value for state in states.UNSETTLED_ROWS])
            | (rows.c.write_back == WriteBackStatus.DUE.value),
        )
        .limit(1)
    ).first()
    if unsettled is not None:
        return
    failed = job.connection.execute(
        select(rows.c.row_number)
        .where(rows.c.job_id == job.job_id, rows.c.write_back == WriteBackStatus.FAILED.value)
        .limit(1)
    ).first()
    job.enter(JobStatus.COMPLETED if failed is None else JobStatus.COMPLETED_WITH_WARNINGS)


def writeback_command(job: JobTransaction, row: AnyRow) -> WritebackCommand:
    """The write-back of a row as it stands."""
    return _writeback_command(job, row, row.write_back_version, (row.tracking_numbers or [None])[0], row.shipped_at)


def _writeback_command(
    job: JobTransaction, row: AnyRow, version: int, number: str | None, shipped_at: datetime | None
) -> WritebackCommand:
    return WritebackCommand(
        job_id=job.job_id,
        row_number=row.row_number,
        source=job.parsed_source,
        source_row=row.source_row,
        row_key=row.row_key,
        checksum=row.checksum,
        row_version=version,
        values=WrittenValues(tracking_number=number, shipped_at=shipped_at),
    )


def _ship_command(
    job: JobTransaction, row: AnyRow, attempt: int, issue: Issue, *, recover: bool = False
) -> ShipCommand:
    return ShipCommand(
        job_id=job.job_id,
        row_number=row.row_number,
        attempt=attempt,
        epoch=issue.epoch,
        reference=row.reference,
        shipment=Shipment.model_validate_json(row.shipment),
        not_after=job.now + issue.lifetime,
        recover=recover,
    )


def _update_row(job: JobTransaction, row_number: int, changes: dict[str, Any]) -> None:
    job.connection.execute(_UPDATE_ROW, {"b_job_id": job.job_id, "b_row_number": row_number, **changes})


def _end_attempt(
    job: JobTransaction, row: AnyRow, outcome: Outcome, status: RowStatus, error: ErrorBody | None = None
) -> None:
    """Keep what became of an attempt; one that had ended otherwise (a late sale) is corrected."""
    carrier_ms = outcome.carrier_ms if isinstance(outcome, Shipped) else None
    result = {
        "ended_at": job.now,
        "outcome": status.value,
        "carrier_ms": None if carrier_ms is None else round(carrier_ms),
        "error": None if error is None else error.model_dump(mode="json"),
        "evidence": _evidence(outcome),
    }
    if outcome.attempt == row.attempt and row.status == RowStatus.IN_FLIGHT:
        place = {"job_id": job.job_id, "row_number": row.row_number, "attempt": outcome.attempt}
        job.connection.execute(_INSERT_ATTEMPT, {**place, "started_at": row.in_flight_at, **result})
    else:
        place = {"b_job_id": job.job_id, "b_row_number": row.row_number, "b_attempt": outcome.attempt}
        job.connection.execute(_UPDATE_ATTEMPT, {**place, **result})


def _evidence(outcome: Outcome) -> list[dict[str, Any]] | None:
    return [item.model_dump(mode="json") for item in outcome.evidence] or None


def _close(
    job: JobTransaction,
    *,
    ship: ShipCommand | None = None,
    writeback: WritebackCommand | None = None,
    row: int | None = None,
) -> Step:
    job.close()
    return Step(job.job_id, ship=ship, writeback=writeback, entered=job.entered, row=row)
