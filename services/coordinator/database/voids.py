"""Voids: labels given back to the carrier, one durable command each, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from services.coordinator import states
from services.coordinator.database import second_labels
from services.coordinator.database.commands import clearing_of
from services.coordinator.database.orders_beside import write_beside
from services.coordinator.database.starting import complete_if_settled, release
from services.coordinator.database.statements import SELECT_ROW, STEP_COLUMNS, AnyRow, move_row, write_back_due
from services.coordinator.database.step import Step, close
from services.coordinator.database.tables import rows
from services.coordinator.database.tables import second_labels as labels
from services.coordinator.database.trail import JobTransaction
from services.coordinator.running.guards import Verdict, judge_void
from shared.contracts.commands import VoidCommand
from shared.contracts.states import RowStatus
from shared.contracts.voiding import VoidOutcome
from shared.errors import NOT_SECOND_LABEL, NOT_SHIPPED, ROW_NOT_FOUND, TallyError


@dataclass(frozen=True)
class VoidOrder:
    """Whose labels are to be voided, and who says so."""

    row_numbers: tuple[int, ...]
    by: str


def order_voids(connection: Connection, job_id: str, order: VoidOrder, now: datetime) -> Step:
    """Have the rows' labels voided; those that are, or are on their way to it, stay as they are.

    All or none: raises E-4004 or E-4020 where one of them has no label.
    """
    job = JobTransaction.open(connection, job_id, now)
    job.expect_kept("Voiding its labels")
    wanted = select(*STEP_COLUMNS).where(rows.c.job_id == job_id, rows.c.row_number.in_(order.row_numbers))
    found = {row.row_number: row for row in connection.execute(wanted)}
    commands = []
    for number in dict.fromkeys(order.row_numbers):
        row = found.get(number)
        if row is None:
            raise TallyError(ROW_NOT_FOUND, job_id=job_id, row_number=number)
        status = RowStatus(row.status)
        if status is RowStatus.VOIDED:
            continue
        if status is not RowStatus.VOIDING:
            if not states.allows(states.ROW, status, RowStatus.VOIDING):
                raise TallyError(NOT_SHIPPED, row=number, job_id=job_id, row_number=number, status=status)
            move_row(job, row, RowStatus.VOIDING, {"voiding_at": now})
            second_labels.tell(job, row, None)
            job.trail.add("row.voiding", actor=order.by or "unknown", row=number, tracking_numbers=row.tracking_numbers)
        commands.append(_command(job_id, row))
    return close(job, voids=tuple(commands), row=commands[-1].row_number if commands else None)


def order_second_void(
    connection: Connection, job_id: str, row_number: int, tracking_number: str, by: str, now: datetime
) -> Step:
    """Have a second label of a row voided, by a tracking number of it.

    Raises E-4004 for an unknown row, E-4021 where the job knows of no such second label.
    """
    job = JobTransaction.open(connection, job_id, now)
    job.expect_kept("Voiding its labels")
    _row(connection, job_id, row_number)
    known = second_labels.of_row(connection, job_id, row_number)
    label = next((label for label in known if tracking_number in label.tracking_numbers), None)
    if label is None:
        raise TallyError(
            NOT_SECOND_LABEL, row=row_number, tracking_number=tracking_number, job_id=job_id, row_number=row_number
        )
    if label.status == RowStatus.VOIDED:
        return Step(job_id)
    if label.status == RowStatus.SHIPPED:
        _move_label(job, label, RowStatus.VOIDING, voiding_at=now)
        job.trail.add(
            "row.second_label_voiding", actor=by or "unknown", row=row_number, tracking_numbers=label.tracking_numbers
        )
    return close(job, voids=(_command(job_id, label),), row=row_number)


def record_void(connection: Connection, outcome: VoidOutcome, now: datetime) -> Step:
    """Write a void's outcome down; for one that was written down before, nothing. Raises E-4004.

    A voided row gives its reservation up, and its write-back, which clears its number in the source, is due or done.
    """
    job = JobTransaction.open(connection, outcome.job_id, now)
    row = _row(connection, outcome.job_id, outcome.row_number)
    if outcome.status == "unanswered":
        job.note_calls(row.row_number, outcome.calls)
        return close(job)
    if row.shipment_id != outcome.shipment_id:
        return _record_second(job, row, outcome)
    if judge_void(outcome.status, RowStatus(row.status)) is Verdict.IGNORE:
        return Step(outcome.job_id)
    job.note_calls(row.row_number, outcome.calls)
    if outcome.status == "refused":
        move_row(job, row, RowStatus.SHIPPED, {})
        second_labels.tell(job, row, _error(outcome))
        _note(job, "row.void_refused", row, outcome)
        complete_if_settled(job)
        return close(job, row=row.row_number)
    if row.status == RowStatus.SHIPPED:
        # The void was thought lost, and carried out late.
        move_row(job, row, RowStatus.VOIDING, {})
        row = _row(connection, outcome.job_id, outcome.row_number)
    due = write_back_due(job, row)
    move_row(job, row, RowStatus.VOIDED, due)
    release(job, row)
    second_labels.tell(job, row, None)
    _note(job, "row.voided", row, outcome)
    clearing = write_beside(job, row, clearing_of(job, row, due["write_back_version"]))
    complete_if_settled(job)
    return close(job, writeback=clearing, row=row.row_number)


def voids_waiting(connection: Connection, since: datetime, limit: int) -> list[VoidCommand]:
    """The voids ordered before `since` that have no outcome yet, as their commands."""
    commands = []
    for table in (rows, labels):
        found = connection.execute(
            select(table.c.job_id, table.c.row_number, table.c.shipment_id, table.c.tracking_numbers)
            .where(table.c.status == RowStatus.VOIDING.value, table.c.voiding_at < since)
            .order_by(table.c.job_id, table.c.row_number)
            .limit(limit)
        )
        commands += [_command(row.job_id, row) for row in found]
    return commands


def _record_second(job: JobTransaction, row: AnyRow, outcome: VoidOutcome) -> Step:
    known = second_labels.of_row(job.connection, job.job_id, row.row_number)
    label = next((label for label in known if label.shipment_id == outcome.shipment_id), None)
    if label is None:
        raise TallyError(ROW_NOT_FOUND, job_id=job.job_id, row_number=f"{row.row_number}, {outcome.shipment_id}")
    if judge_void(outcome.status, RowStatus(label.status)) is Verdict.IGNORE:
        return Step(job.job_id)
    job.note_calls(row.row_number, outcome.calls)
    is_voided = outcome.status == "voided"
    _move_label(job, label, RowStatus.VOIDED if is_voided else RowStatus.SHIPPED)
    second_labels.tell(job, row, _error(outcome))
    _note(job, "row.second_label_voided" if is_voided else "row.void_refused", row, outcome)
    complete_if_settled(job)
    return close(job, row=row.row_number)


def _row(connection: Connection, job_id: str, row_number: int) -> AnyRow:
    row = connection.execute(SELECT_ROW, {"job_id": job_id, "row_number": row_number}).one_or_none()
    if row is None:
        raise TallyError(ROW_NOT_FOUND, job_id=job_id, row_number=row_number)
    return row


def _command(job_id: str, sold: AnyRow) -> VoidCommand:
    """The void of what was sold as a row or as a second label."""
    numbers: Sequence[str] = sold.tracking_numbers
    return VoidCommand(
        job_id=job_id, row_number=sold.row_number, shipment_id=sold.shipment_id, tracking_numbers=tuple(numbers)
    )


def _move_label(job: JobTransaction, label: AnyRow, target: RowStatus, **changes: Any) -> None:
    job.connection.execute(
        update(labels).where(
            labels.c.job_id == label.job_id,
            labels.c.row_number == label.row_number,
            labels.c.shipment_id == label.shipment_id,
        ),
        {"status": target.value, **changes},
    )


def _error(outcome: VoidOutcome) -> Any:
    return None if outcome.error is None else outcome.error.model_copy(update={"row": outcome.row_number})


def _note(job: JobTransaction, action: str, row: AnyRow, outcome: VoidOutcome) -> None:
    code = None if outcome.error is None else outcome.error.code
    job.trail.add(action, actor="shipper", row=row.row_number, shipment_id=outcome.shipment_id, error=code)
