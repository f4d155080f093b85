"""A job's steps besides its outcomes: started, resumed, halted, written back, settled.

Each is one short transaction that says what is to be published after its commit. Run again it does no harm, so whoever
dies between commit and publish is healed by redelivery or by the watchdog.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, String, cast, select

from services.coordinator import states
from services.coordinator.database.commands import Issue, must_recover, ship_command
from services.coordinator.database.intake import of_intake
from services.coordinator.database.lineage import shipped_since
from services.coordinator.database.previewing import refused_rows
from services.coordinator.database.queries import show_job
from services.coordinator.database.sales import record_sale
from services.coordinator.database.starting import (
    complete_if_settled,
    release,
    skip_shipped_since,
    start_next,
    start_row,
)
from services.coordinator.database.statements import (
    SELECT_ROW,
    SELECT_WRITE_BACKS,
    STEP_COLUMNS,
    UPDATE_ROW,
    AnyRow,
    move_row,
    update_row,
)
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import rows, second_labels
from services.coordinator.database.trail import JobTransaction
from services.coordinator.database.turns import take_turns
from shared.contracts.lookups import LabelRecovered, ShipmentSought
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.contracts.writeback import RowWritten
from shared.errors import (
    ESTIMATE_CHANGED,
    ILLEGAL_TRANSITION,
    IN_DOUBT,
    NOT_IN_DOUBT,
    NUMBER_TAKEN,
    ROW_NOT_FOUND,
    ROWS_INVALID,
    TRACKING_CONFLICT,
    TallyError,
)
from shared.shipping import Money, Shipment
from shared.shipping.redaction import without_personal_data

_ROWS_LISTED = 500


def approve(
    connection: Connection, job_id: str, actor: str, now: datetime, issue: Issue, seen: Money | None = None
) -> Step:
    """Let a previewed job run: its first row is in flight. The trail names who approved what total.

    Raises E-4005, E-2010 where rows cannot ship, as the carrier says, and E-4031 where another total was `seen` than
    the job's.
    """
    job = _awaiting_approval(connection, job_id, "Approving", now)
    if refused := refused_rows(connection, job_id):
        listed = tuple(error for _, error in refused[:_ROWS_LISTED])
        raise TallyError(ROWS_INVALID, count=len(refused), total=job.total, details=listed)
    estimate = show_job(connection, job_id).estimate
    if seen is not None and estimate is not None and seen != estimate:
        raise TallyError(ESTIMATE_CHANGED, now=estimate, seen=seen)
    job.trail.add("job.approved", actor=actor or "unknown", seen=_told(seen), estimate=_told(estimate))
    return _start(job, actor, issue)


def _told(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)


def reject(connection: Connection, job_id: str, actor: str, now: datetime) -> Step:
    """Turn a previewed job down. Raises E-4005."""
    job = _awaiting_approval(connection, job_id, "Rejecting", now)
    job.enter(JobStatus.CANCELLED, actor=actor)
    return close(job)


def start(connection: Connection, job_id: str, intake: str, actor: str, now: datetime, issue: Issue) -> Step:
    """Let a job run that needs no approval, by the intake that took it in. Raises SupersededError."""
    return _start(of_intake(connection, job_id, intake, now), actor, issue)


def _awaiting_approval(connection: Connection, job_id: str, action: str, now: datetime) -> JobTransaction:
    job = JobTransaction.open(connection, job_id, now)
    if job.status is not JobStatus.AWAITING_APPROVAL:
        raise TallyError(ILLEGAL_TRANSITION, action=action, job_id=job_id, status=job.status)
    return job


def _start(job: JobTransaction, actor: str, issue: Issue) -> Step:
    job.enter(JobStatus.RUNNING, actor=actor)
    ship = start_next(job, issue)
    return close(job, ship=ship)


def resume(connection: Connection, job_id: str, actor: str, now: datetime, issue: Issue) -> Step:
    """Take a failed, paused or interrupted job up again at its row.

    A row still in flight keeps its attempt; a failed row gets a new one. Raises E-4005, E-3010 while a row is in
    doubt, or E-4006 while a later job has one of the orders, corrected, in its hands.
    """
    job = JobTransaction.open(connection, job_id, now)
    if job.started_at is None:
        raise TallyError(ILLEGAL_TRANSITION, action="Resuming", job_id=job_id, status=f"{job.status}, it never ran")
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
    skip_shipped_since(job)
    unsettled = connection.execute(
        select(*STEP_COLUMNS)
        .where(
            rows.c.job_id == job_id,
            rows.c.status.in_([RowStatus.IN_FLIGHT.value, RowStatus.FAILED.value]),
        )
        .order_by(rows.c.row_number)
        .limit(1)
    ).first()
    if unsettled is None:
        return close(job, ship=start_next(job, issue))
    if unsettled.status == RowStatus.IN_FLIGHT:
        # Its epoch stays: only the watchdog, which sees the row before it asks for the epoch, may move it on.
        recover = must_recover(unsettled, issue)
        return close(job, ship=ship_command(job, unsettled, unsettled.attempt, issue, recover=recover))
    return close(job, ship=start_row(job, unsettled, issue) or start_next(job, issue))


@dataclass(frozen=True)
class Finding:
    """What a person found out about a row in doubt; without a tracking number nothing was bought."""

    tracking_number: str | None
    by: str
    reason: str


def resolve(connection: Connection, job_id: str, row_number: int, finding: Finding, now: datetime) -> Step:
    """Settle a row in doubt as a person says: shipped under a number, or not at all, so that resume tries it again.

    Raises E-4004, E-4008, or E-4026 where the number is another row's label. The label of a shipped one is due.
    """
    job = JobTransaction.open(connection, job_id, now)
    row = connection.execute(SELECT_ROW, {"job_id": job_id, "row_number": row_number}).one_or_none()
    if row is None:
        raise TallyError(ROW_NOT_FOUND, job_id=job_id, row_number=row_number)
    if row.status != RowStatus.IN_DOUBT:
        raise TallyError(NOT_IN_DOUBT, row=row_number, job_id=job_id, row_number=row_number, status=row.status)
    number = finding.tracking_number
    if number is not None:
        _expect_free(job, row_number, number)
    recipient = Shipment.model_validate_json(row.shipment).recipient
    reason = without_personal_data(finding.reason, recipient)
    job.trail.add("row.resolved", actor=finding.by or "unknown", row=row_number, tracking_number=number, reason=reason)
    if number is None:
        move_row(job, row, RowStatus.FAILED, {"recover": True})
        release(job, row)
        return close(job, row=row_number)
    writeback = record_sale(job, row, (number,), now, {"shipment_id": number, "label_due": True})
    return close(job, writeback=writeback, row=row_number)


def _expect_free(job: JobTransaction, row_number: int, number: str) -> None:
    """Raise E-4026 where a label of this number stands for another row: one of the two would be voided or lost."""
    take_turns(job.connection, f"number:{number}")
    for table in (rows, second_labels):
        holder = job.connection.execute(
            select(table.c.job_id, table.c.row_number)
            .where(
                table.c.status.in_(states.LABELLED_ROWS),
                cast(table.c.tracking_numbers, String).contains(json.dumps(number), autoescape=True),
            )
            .limit(1)
        ).first()
        if holder is not None:
            raise TallyError(
                NUMBER_TAKEN,
                row=row_number,
                tracking_number=number,
                other_job=holder.job_id,
                other_row=holder.row_number,
                job_id=job.job_id,
                row_number=row_number,
            )


def record_written(connection: Connection, job_id: str, written: list[RowWritten], now: datetime) -> Step:
    """Write a flush's outcomes down for one job; the last one may complete it."""
    job = JobTransaction.open(connection, job_id, now)
    reported = {item.row_number: item for item in written}
    known = connection.execute(SELECT_WRITE_BACKS, {"job_id": job_id, "row_numbers": list(reported)}).all()
    since = shipped_since(connection, job_id, [item.row_number for item in written if _is_conflict(item)])
    changes = []
    for row in known:
        item = reported[row.row_number]
        # Another number is no conflict where it is that of a job which has shipped the order since.
        is_replaced = _is_conflict(item) and row.row_number in since
        target = WriteBackStatus.REMOVED if is_replaced else WriteBackStatus(item.status)
        if _is_overtaken(row, item):
            # A writer that was frozen may have put its older number over the newer one: write that again.
            again = {"write_back": WriteBackStatus.DUE.value, "write_back_error": None}
            update_row(job, item.row_number, {**again, "write_back_at": now})
            job.trail.add("write_back.due", row=item.row_number, target=job.target)
            continue
        if row.write_back_version != item.row_version or not states.allows(
            states.WRITE_BACK, WriteBackStatus(row.write_back), target
        ):
            continue
        changes.append(
            {
                "b_job_id": job_id,
                "b_row_number": item.row_number,
                "write_back": target.value,
                "write_back_error": None if item.error is None or is_replaced else item.error.model_dump(mode="json"),
            }
        )
        code = None if item.error is None else item.error.code
        done = "cleared" if row.status == RowStatus.VOIDED and target is WriteBackStatus.WRITTEN else target
        job.trail.add(f"write_back.{done}", actor="writeback", row=item.row_number, target=job.target, error=code)
    if changes:
        connection.execute(UPDATE_ROW, changes)
    complete_if_settled(job)
    return close(job)


def _is_conflict(item: RowWritten) -> bool:
    return item.error is not None and item.error.code == TRACKING_CONFLICT.code


def _is_overtaken(row: AnyRow, item: RowWritten) -> bool:
    """Whether an older version was written after the present one."""
    is_done = row.write_back == WriteBackStatus.WRITTEN
    return is_done and item.status == "written" and item.row_version < row.write_back_version


def record_label(
    connection: Connection,
    job_id: str,
    row_number: int,
    found: LabelRecovered,
    now: datetime,
    *,
    asked_by: str | None = None,
) -> Step:
    """A label that was due is stored; its row's cost, where it was unknown, may be known as well.

    With `asked_by` it was lost, and that person had it fetched again.
    """
    job = JobTransaction.open(connection, job_id, now)
    row = connection.execute(
        select(rows.c.label_due, rows.c.cost_amount, rows.c.tracking_numbers).where(
            rows.c.job_id == job_id, rows.c.row_number == row_number
        )
    ).one()
    job.note_calls(row_number, found.calls)
    changes: dict[str, object] = {}
    if (row.label_due or asked_by is not None) and found.label_key is not None:
        changes |= {"label_key": found.label_key, "label_due": False}
        changes |= {"label_keys": list(found.label_keys)} if found.label_keys else {}
        if found.shipment_id is not None and {*row.tracking_numbers} <= {*found.tracking_numbers}:
            changes |= {"tracking_numbers": list(found.tracking_numbers), "shipment_id": found.shipment_id}
        job.trail.add("row.label_stored", actor=asked_by or "shipper", row=row_number)
    if row.cost_amount is None and found.cost is not None:
        changes |= {"cost_amount": found.cost.amount, "cost_currency": found.cost.currency}
    if not changes:
        return close(job)
    update_row(job, row_number, changes)
    return close(job, row=row_number)


def record_look_up(
    connection: Connection, job_id: str, row_number: int, attempt: int, sought: ShipmentSought, now: datetime
) -> Step:
    """A row whose `attempt` was in doubt was looked up once more; what was answered is kept with it, whatever it was.

    Nothing of it counts for a later attempt's doubt.
    """
    job = JobTransaction.open(connection, job_id, now)
    row = connection.execute(
        select(rows.c.status, rows.c.attempt, rows.c.evidence).where(
            rows.c.job_id == job_id, rows.c.row_number == row_number
        )
    ).one()
    if (row.status, row.attempt) == (RowStatus.IN_DOUBT, attempt):
        changes: dict[str, object] = {"looked_again": True}
        # One that was found shipped has this look-up among the evidence of its outcome.
        if not sought.adopted:
            evidence = [item.model_dump(mode="json") for item in sought.evidence]
            changes["evidence"] = [*(row.evidence or []), *evidence]
        update_row(job, row_number, changes)
    job.note_calls(row_number, sought.calls)
    job.trail.add("row.looked_up", actor="shipper", row=row_number, found=sought.adopted)
    return close(job, row=row_number)


def settle(connection: Connection, job_id: str, now: datetime) -> Step:
    """Complete a running job whose rows and write-backs are all settled."""
    job = JobTransaction.open(connection, job_id, now)
    complete_if_settled(job)
    return close(job)


def reissue(
    connection: Connection, job_id: str, row_number: int, seen: str, now: datetime, issue: Issue, *, recover: bool
) -> Step:
    """The ship command of a row in flight, anew, under the present epoch; that a look-up comes first is kept.

    Nothing where the row is in flight no more, or was ordered again since it was `seen` under that epoch.
    """
    job = JobTransaction.open(connection, job_id, now)
    row = connection.execute(SELECT_ROW, {"job_id": job_id, "row_number": row_number}).one()
    if row.status != RowStatus.IN_FLIGHT or row.epoch != seen:
        return Step(job_id)
    recover = recover or must_recover(row, issue)
    update_row(job, row_number, {"epoch": issue.epoch, "in_flight_at": now, "recover": recover})
    job.trail.add("row.reissued", row=row_number, attempt=row.attempt, recover=recover)
    return close(job, ship=ship_command(job, row, row.attempt, issue, recover=recover))


def halt(connection: Connection, job_id: str, target: JobStatus, actor: str, now: datetime) -> Step:
    """Pause, cancel or reject a job: no further row starts; the one in flight is still recorded."""
    job = JobTransaction.open(connection, job_id, now)
    job.enter(target, actor=actor)
    return close(job)
