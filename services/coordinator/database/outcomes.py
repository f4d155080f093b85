"""Writes a ledger outcome down and starts what follows: the one short transaction of a row's way (DESIGN §4.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from services.coordinator import states
from services.coordinator.database import second_labels
from services.coordinator.database.commands import Issue, must_recover, ship_command, writeback_command
from services.coordinator.database.sales import record_sale
from services.coordinator.database.starting import complete_if_settled, release, reserve_again, start_next
from services.coordinator.database.statements import (
    INSERT_ATTEMPT,
    SELECT_ROW_AND_NEXT,
    STEP_COLUMNS,
    UPDATE_ATTEMPT,
    AnyRow,
    move_row,
    update_row,
)
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import rows
from services.coordinator.database.trail import Ended, JobTransaction
from services.coordinator.pricing.price_guard import PriceGuard
from services.coordinator.running.guards import Verdict, judge
from shared.contracts.ledger import Failed, InDoubt, Outcome, Shipped
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import CHARGED_MORE, ROW_NOT_FOUND, SOLD_IN_TWO_JOBS, ErrorBody, TallyError
from shared.shipping import Money

_NO_GUARD = PriceGuard()


def record_outcome(
    connection: Connection, outcome: Outcome, now: datetime, issue: Issue, guard: PriceGuard = _NO_GUARD
) -> Step:
    """Write a ledger outcome down and, where the job runs and `guard` does not stop it, put the next row in flight.

    Returns what is to be published now; for an outcome that was recorded before, what was to be published then.
    """
    job = JobTransaction.open(connection, outcome.job_id, now)
    found = connection.execute(SELECT_ROW_AND_NEXT, {"job_id": outcome.job_id, "row_number": outcome.row_number}).all()
    if not found or found[0].row_number != outcome.row_number:
        raise TallyError(ROW_NOT_FOUND, job_id=outcome.job_id, row_number=outcome.row_number)
    row, *following = found
    numbers = outcome.tracking_numbers if isinstance(outcome, Shipped) else ()
    verdict = judge(
        outcome.kind,
        outcome.attempt,
        numbers,
        RowStatus(row.status),
        row.attempt,
        row.tracking_numbers or (),
        same_epoch=outcome.epoch == row.epoch,
    )
    if verdict is Verdict.IGNORE:
        return Step(outcome.job_id)
    if verdict is Verdict.REPUBLISH:
        return _published_before(job, row, issue)
    job.note_calls(row.row_number, outcome.calls)
    if isinstance(outcome, Shipped):
        if job.is_purged:
            # Its shipper has stored the label: the purge is to be finished once more.
            job.changes["purged_at"] = None
        if verdict is Verdict.ALARM:
            return _record_second_label(job, row, outcome)
        adopted = verdict is Verdict.ADOPT
        error = _charged_more(job, row, outcome, guard)
        return _record_shipped(job, row, outcome, issue, error, adopted=adopted, following=next(iter(following), None))
    return _record_unshipped(job, row, outcome)


def _record_shipped(
    job: JobTransaction,
    row: AnyRow,
    outcome: Shipped,
    issue: Issue,
    charged_more: ErrorBody | None,
    *,
    adopted: bool,
    following: AnyRow | None,
) -> Step:
    writeback = record_sale(
        job,
        row,
        outcome.tracking_numbers,
        outcome.shipped_at,
        {
            "shipment_id": outcome.shipment_id,
            "cost_amount": None if outcome.cost is None else outcome.cost.amount,
            "cost_currency": None if outcome.cost is None else outcome.cost.currency,
            "label_key": outcome.label_key,
            "label_due": outcome.label_due,
            **({"label_keys": list(outcome.label_keys)} if outcome.label_keys else {}),
            **({"invoice_key": outcome.invoice_key} if outcome.invoice_key else {}),
            "evidence": _evidence(outcome),
        },
    )
    _end_attempt(job, row, outcome, RowStatus.SHIPPED)
    # A failed row had given its reservation up: another job may have bought the order meanwhile.
    other = reserve_again(job, row) if adopted else None
    if other is not None:
        _tell_of_other_job(job, row, outcome, other)
    job.trail.add(
        "row.shipped",
        actor="shipper",
        row=row.row_number,
        attempt=outcome.attempt,
        tracking_numbers=list(outcome.tracking_numbers),
        cost=None if outcome.cost is None else str(outcome.cost),
        adopted=outcome.adopted or adopted,
    )
    if job.status is JobStatus.INTERRUPTED:
        _calm(job)
    if charged_more is not None:
        _stop_at(job, row, charged_more)
    if adopted:
        complete_if_settled(job)
    ship = None
    if not adopted and job.status is JobStatus.RUNNING:
        ship = start_next(job, issue, following)
    return close(job, ship=ship, writeback=writeback, row=row.row_number, alarm=other is not None)


def _charged_more(job: JobTransaction, row: AnyRow, outcome: Shipped, guard: PriceGuard) -> ErrorBody | None:
    """What to say of a charge that the guard stops at; an estimate by other rows is no price to hold it to."""
    rated = None
    if row.estimate_amount is not None and not row.estimated:
        rated = Money(amount=row.estimate_amount, currency=row.estimate_currency)
    if not guard.stops_at(rated, outcome.cost):
        return None
    number = row.row_number
    return TallyError(
        CHARGED_MORE, row=number, row_number=number, charge=outcome.cost, rated=rated, job_id=job.job_id
    ).body


def _stop_at(job: JobTransaction, row: AnyRow, charged_more: ErrorBody) -> None:
    """Pause a running job, so that a person looks at what the row cost; one that stands already says it, too."""
    job.trail.add("row.charged_more", row=row.row_number, error=charged_more.code)
    if job.status is JobStatus.RUNNING:
        job.enter(JobStatus.PAUSED, error=charged_more)
    elif job.status in {JobStatus.PAUSED, JobStatus.INTERRUPTED}:
        job.changes["error"] = charged_more.model_dump(mode="json")


def _tell_of_other_job(job: JobTransaction, row: AnyRow, outcome: Shipped, other: AnyRow) -> None:
    error = TallyError(
        SOLD_IN_TWO_JOBS,
        row=row.row_number,
        tracking_number=outcome.tracking_numbers[0],
        status=other.status,
        other_job=other.job_id,
        other_row=other.row_number,
        job_id=job.job_id,
        row_number=row.row_number,
    ).body
    update_row(job, row.row_number, {"error": error.model_dump(mode="json")})
    job.trail.add("row.sold_in_two_jobs", row=row.row_number, other_job=other.job_id, other_row=other.row_number)


def _calm(job: JobTransaction) -> None:
    """The row that an interrupted job had in flight is shipped: it is no error, and may have been the last row."""
    if job.cursor >= job.total:
        job.enter(JobStatus.RUNNING, actor="on_interrupt")
    else:
        job.changes["error"] = None


def _record_second_label(job: JobTransaction, row: AnyRow, outcome: Shipped) -> Step:
    is_new = second_labels.note(job, row, outcome)
    complete_if_settled(job)
    return close(job, row=row.row_number, alarm=is_new)


def _record_unshipped(job: JobTransaction, row: AnyRow, outcome: Failed | InDoubt) -> Step:
    status = RowStatus.FAILED if isinstance(outcome, Failed) else RowStatus.IN_DOUBT
    error = outcome.error.model_copy(update={"row": row.row_number})
    move_row(
        job,
        row,
        status,
        {
            "recover": False,
            "looked_again": False,
            "error": error.model_dump(mode="json"),
            "evidence": _evidence(outcome),
        },
    )
    _end_attempt(job, row, outcome, status, error)
    job.trail.add(f"row.{status}", actor="shipper", row=row.row_number, attempt=outcome.attempt, error=error.code)
    if status is RowStatus.FAILED:
        release(job, row)
    if states.allows(states.JOB, job.status, JobStatus.FAILED):
        job.enter(JobStatus.FAILED, error=error)
    return close(job, row=row.row_number)


def _published_before(job: JobTransaction, row: AnyRow, issue: Issue) -> Step:
    ship = None
    if job.status is JobStatus.RUNNING:
        in_flight = job.connection.execute(
            select(*STEP_COLUMNS).where(
                rows.c.job_id == job.job_id,
                rows.c.status == RowStatus.IN_FLIGHT.value,
                rows.c.row_number > row.row_number,
            )
        ).first()
        if in_flight is not None:
            ship = ship_command(job, in_flight, in_flight.attempt, issue, recover=must_recover(in_flight, issue))
    writeback = None
    if row.write_back == WriteBackStatus.DUE:
        writeback = writeback_command(job, row)
    return Step(job.job_id, ship=ship, writeback=writeback)


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
    is_present = outcome.attempt == row.attempt and row.status == RowStatus.IN_FLIGHT
    began = row.in_flight_at if is_present else None
    code = None if error is None else error.code
    job.ended = Ended(row.row_number, outcome.attempt, status, began, carrier_ms, code)
    if is_present:
        place = {"job_id": job.job_id, "row_number": row.row_number, "attempt": outcome.attempt}
        job.connection.execute(INSERT_ATTEMPT, {**place, "started_at": row.in_flight_at, **result})
    else:
        place = {"b_job_id": job.job_id, "b_row_number": row.row_number, "b_attempt": outcome.attempt}
        job.connection.execute(UPDATE_ATTEMPT, {**place, **result})


def _evidence(outcome: Outcome) -> list[dict[str, Any]] | None:
    return [item.model_dump(mode="json") for item in outcome.evidence] or None
