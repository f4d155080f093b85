"""What the job database is asked: jobs and rows as documents, and what the watchdog looks for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, String, cast, func, select, text

from services.coordinator.database.commands import writeback_command
from services.coordinator.database.having import bound, having
from services.coordinator.database.lineage import shipped_before
from services.coordinator.database.tables import attempts, jobs, rows, second_labels
from services.coordinator.database.trail import JobTransaction
from shared.contracts.commands import WritebackCommand
from shared.contracts.documents import (
    JobDocument,
    LabelDocument,
    RowCounts,
    RowDocument,
    SecondLabel,
    ShippedBefore,
    WriteBackCounts,
    WriteBackDocument,
)
from shared.contracts.lookups import FindShipment, RecoverLabel
from shared.contracts.source import Source
from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus
from shared.errors import JOB_NOT_FOUND, ROW_NOT_FOUND, ErrorBody, TallyError
from shared.shipping import Money, Shipment

_source: TypeAdapter[Source] = TypeAdapter(Source)


@dataclass(frozen=True)
class InFlightRow:
    """A row in flight, as the watchdog sees it."""

    job_id: str
    row_number: int
    attempt: int
    epoch: str
    reference: str
    recover: bool
    cancelled: bool


def show_job(connection: Connection, job_id: str | None, request_id: str | None = None) -> JobDocument:
    """One job, by its id or its request's; raises E-4003."""
    wanted = jobs.c.job_id == job_id if job_id is not None else jobs.c.request_id == request_id
    found = connection.execute(select(jobs).where(wanted)).one_or_none()
    if found is None:
        raise TallyError(JOB_NOT_FOUND, job_id=job_id or request_id)
    return _job_document(connection, found)


def list_jobs(
    connection: Connection, status: JobStatus | None, limit: int, before: datetime | None
) -> list[JobDocument]:
    """Jobs, newest first."""
    query = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.job_id).limit(limit)
    if status is not None:
        query = query.where(jobs.c.status == status.value)
    if before is not None:
        query = query.where(jobs.c.created_at < before)
    return [_job_document(connection, found) for found in connection.execute(query).all()]


def list_rows(
    connection: Connection, job_id: str, status: RowStatus | None, after: int, limit: int
) -> list[RowDocument]:
    """A page of a job's rows; raises E-4003."""
    if connection.execute(select(jobs.c.job_id).where(jobs.c.job_id == job_id)).first() is None:
        raise TallyError(JOB_NOT_FOUND, job_id=job_id)
    query = (
        select(rows).where(rows.c.job_id == job_id, rows.c.row_number > after).order_by(rows.c.row_number).limit(limit)
    )
    if status is not None:
        query = query.where(rows.c.status == status.value)
    found = connection.execute(query).all()
    if not found:
        return []
    others = _second_labels(connection, job_id, found[0].row_number, found[-1].row_number)
    return [row_document(row, others[row.row_number]) for row in found]


def show_row(connection: Connection, job_id: str, row_number: int) -> RowDocument:
    """One row; raises E-4004."""
    found = connection.execute(
        select(rows).where(rows.c.job_id == job_id, rows.c.row_number == row_number)
    ).one_or_none()
    if found is None:
        raise TallyError(ROW_NOT_FOUND, job_id=job_id, row_number=row_number)
    return row_document(found, _second_labels(connection, job_id, row_number, row_number)[row_number])


def shipped_orders(connection: Connection, keys: Sequence[str]) -> dict[str, ShippedBefore]:
    """Of the orders with these reservation keys, those that are shipped."""
    query = text(
        f"""
        SELECT reservations.reservation_key, rows.job_id, rows.row_number, rows.tracking_numbers
        FROM {having(connection, "reservations", "reservation_key", "keys")}
        JOIN rows ON rows.job_id = reservations.job_id AND rows.row_number = reservations.row_number
        WHERE rows.status = :shipped"""  # nosec B608  # noqa: S608 - own words
    ).columns(tracking_numbers=rows.c.tracking_numbers.type)
    found = connection.execute(query, {"keys": bound(keys), "shipped": RowStatus.SHIPPED.value})
    return {row.reservation_key: shipped_before(row) for row in found}


_IN_FLIGHT = (
    select(
        rows.c.job_id,
        rows.c.row_number,
        rows.c.attempt,
        rows.c.epoch,
        rows.c.reference,
        rows.c.recover,
        (jobs.c.status == JobStatus.CANCELLED.value).label("cancelled"),
    )
    .join(jobs, jobs.c.job_id == rows.c.job_id)
    .where(rows.c.status == RowStatus.IN_FLIGHT.value)
)


def rows_in_flight(connection: Connection, since: datetime) -> list[InFlightRow]:
    """The rows in flight since before `since`, of whatever job."""
    return [InFlightRow(*row) for row in connection.execute(_IN_FLIGHT.where(rows.c.in_flight_at < since))]


def row_in_flight(connection: Connection, job_id: str) -> InFlightRow | None:
    """A job's row in flight."""
    found = connection.execute(_IN_FLIGHT.where(rows.c.job_id == job_id)).first()
    return None if found is None else InFlightRow(*found)


_LABELS = (
    select(
        rows.c.job_id,
        rows.c.row_number,
        rows.c.tracking_numbers,
        rows.c.shipment,
        rows.c.cost_amount,
        rows.c.reference,
        jobs.c.started_at,
    )
    .join(jobs, jobs.c.job_id == rows.c.job_id)
    .where(rows.c.status == RowStatus.SHIPPED.value, jobs.c.purge_began_at.is_(None))
)


def labels_due(connection: Connection, job_id: str | None = None) -> list[RecoverLabel]:
    """The labels that are still to be fetched, of one job or of all; where the cost is unknown it is asked for, too."""
    query = _LABELS.where(rows.c.label_due)
    if job_id is not None:
        query = query.where(rows.c.job_id == job_id)
    return [_recovery(row, Shipment.model_validate_json(row.shipment)) for row in connection.execute(query)]


def label_to_recover(connection: Connection, job_id: str, row_number: int) -> RecoverLabel:
    """The label of a shipped row, whether it is stored or not. Raises E-4004 where there is none to be had."""
    found = connection.execute(_LABELS.where(rows.c.job_id == job_id, rows.c.row_number == row_number)).one_or_none()
    if found is None:
        raise TallyError(ROW_NOT_FOUND, job_id=job_id, row_number=row_number)
    return _recovery(found, Shipment.model_validate_json(found.shipment))


def _recovery(row: Row[*tuple[Any, ...]], shipment: Shipment) -> RecoverLabel:
    return RecoverLabel(
        job_id=row.job_id,
        row_number=row.row_number,
        tracking_numbers=row.tracking_numbers,
        shipment=shipment if row.cost_amount is None else None,
        reference=row.reference,
        parcels=len(shipment.packages),
        since=row.started_at,
    )


def doubts_to_look_up(connection: Connection, since: datetime) -> list[FindShipment]:
    """The rows in doubt since before `since` that have not had their last look-up."""
    found = connection.execute(
        select(rows.c.job_id, rows.c.row_number, rows.c.attempt, rows.c.reference, rows.c.shipment, jobs.c.started_at)
        .join(jobs, jobs.c.job_id == rows.c.job_id)
        .join(
            attempts,
            (attempts.c.job_id == rows.c.job_id)
            & (attempts.c.row_number == rows.c.row_number)
            & (attempts.c.attempt == rows.c.attempt),
        )
        .where(rows.c.status == RowStatus.IN_DOUBT.value, ~rows.c.looked_again, attempts.c.ended_at < since)
    )
    return [
        FindShipment(
            job_id=row.job_id,
            row_number=row.row_number,
            attempt=row.attempt,
            reference=row.reference,
            since=row.started_at,
            shipment=Shipment.model_validate_json(row.shipment),
        )
        for row in found
    ]


def write_backs_due(connection: Connection, since: datetime, limit: int) -> list[WritebackCommand]:
    """The write-backs due since before `since`, as their commands."""
    found = connection.execute(
        select(rows)
        .where(rows.c.write_back == WriteBackStatus.DUE.value, rows.c.write_back_at < since)
        .order_by(rows.c.job_id, rows.c.row_number)
        .limit(limit)
    ).all()
    opened: dict[str, JobTransaction] = {}
    for row in found:
        opened.setdefault(row.job_id, JobTransaction.seen(connection, row.job_id, since))
    return [writeback_command(opened[row.job_id], row) for row in found]


def running_jobs_at_their_end(connection: Connection) -> list[str]:
    """Running jobs whose cursor is at their last row."""
    found = connection.execute(
        select(jobs.c.job_id).where(jobs.c.status == JobStatus.RUNNING.value, jobs.c.cursor >= jobs.c.total)
    )
    return list(found.scalars())


def _second_labels(connection: Connection, job_id: str, first: int, last: int) -> dict[int, list[SecondLabel]]:
    """The second labels of a range of rows, by row."""
    found = connection.execute(
        select(second_labels)
        .where(second_labels.c.job_id == job_id, second_labels.c.row_number.between(first, last))
        .order_by(second_labels.c.shipment_id)
    )
    labels: dict[int, list[SecondLabel]] = defaultdict(list)
    for label in found:
        cost = _money(label.cost_amount, label.cost_currency)
        document = SecondLabel(tracking_numbers=label.tracking_numbers, status=label.status, cost=cost)
        labels[label.row_number].append(document)
    return labels


def row_document(row: Row[Any], others: Sequence[SecondLabel] = ()) -> RowDocument:
    """A row as clients see it, with its second labels."""
    status = RowStatus(row.status)
    return RowDocument(
        row_number=row.row_number,
        source_row=row.source_row,
        status=status,
        attempt=row.attempt,
        reference=row.reference,
        recipient=row.recipient,
        destination=row.destination,
        service=row.service,
        tracking_numbers=tuple(row.tracking_numbers or ()),
        cost=_money(row.cost_amount, row.cost_currency),
        estimate=_money(row.estimate_amount, row.estimate_currency),
        estimated=row.estimated,
        label=_label_document(row) if row.shipment_id and row.shipment else None,
        write_back=WriteBackDocument(
            status=WriteBackStatus(row.write_back),
            error=None if row.write_back_error is None else ErrorBody.model_validate(row.write_back_error),
        ),
        error=None if row.error is None else ErrorBody.model_validate(row.error),
        shipped_at=row.shipped_at,
        evidence=tuple(row.evidence or ()),
        second_labels=tuple(others),
        shipped_before=row.shipped_before,
        warnings=row.warnings or (),
        purged=row.shipment == "",
    )


def _label_document(row: Row[Any]) -> LabelDocument:
    only = () if row.label_key is None else (row.label_key,)
    return LabelDocument(
        key=row.label_key, due=row.label_due, keys=tuple(row.label_keys or only), invoice=row.invoice_key
    )


def _job_document(connection: Connection, job: Row[Any]) -> JobDocument:
    statuses: Counter[str] = Counter()
    write_backs: Counter[str] = Counter()
    cost, estimate = Decimal(0), Decimal(0)
    currency, estimated = "USD", False
    shipped_again = rated = by_others = warned = 0
    # SQLite sums text as binary floats; few distinct amounts come back, so they are summed here, exactly.
    amounts = connection.execute(
        select(
            rows.c.status,
            rows.c.write_back,
            cast(rows.c.cost_amount, String).label("cost"),
            rows.c.cost_currency,
            cast(rows.c.estimate_amount, String).label("estimate"),
            func.count().label("how_many"),
            func.count(rows.c.shipped_before).label("shipped_before"),
            func.count(rows.c.warnings).label("warned"),
            rows.c.estimated,
        )
        .where(rows.c.job_id == job.job_id)
        .group_by(
            rows.c.status,
            rows.c.write_back,
            rows.c.cost_amount,
            rows.c.cost_currency,
            rows.c.estimate_amount,
            rows.c.estimated,
        )
    )
    for group in amounts:
        statuses[group.status] += group.how_many
        warned += group.warned
        if group.status != RowStatus.SKIPPED:
            shipped_again += group.shipped_before
        # A number that was cleared is not in the source any more.
        if (group.status, group.write_back) != (RowStatus.VOIDED, WriteBackStatus.WRITTEN):
            write_backs[group.write_back] += group.how_many
        if group.cost is not None and group.status != RowStatus.VOIDED:
            cost += Decimal(group.cost) * group.how_many
            currency = group.cost_currency
        if group.estimate is not None:
            estimate += Decimal(group.estimate) * group.how_many
            estimated = True
            rated += 0 if group.estimated else group.how_many
            by_others += group.how_many if group.estimated else 0
    others = connection.execute(
        select(second_labels.c.status, second_labels.c.cost_amount).where(
            second_labels.c.job_id == job.job_id, second_labels.c.status != RowStatus.VOIDED.value
        )
    ).all()
    cost += sum((other.cost_amount or Decimal(0) for other in others), Decimal(0))
    return JobDocument(
        job_id=job.job_id,
        request_id=job.request_id,
        name=job.name,
        status=JobStatus(job.status),
        mode=job.mode,
        on_interrupt=job.on_interrupt,
        source=None if job.source is None else _source.validate_python(job.source),
        where=(job.request or {}).get("where"),
        mapping=job.mapping,
        requested_by=job.requested_by,
        cursor=job.cursor,
        rows=RowCounts(
            total=job.total,
            shipped=statuses[RowStatus.SHIPPED],
            failed=statuses[RowStatus.FAILED],
            skipped=statuses[RowStatus.SKIPPED],
            in_doubt=statuses[RowStatus.IN_DOUBT],
            voiding=statuses[RowStatus.VOIDING] + sum(other.status == RowStatus.VOIDING for other in others),
            voided=statuses[RowStatus.VOIDED],
            shipped_again=shipped_again,
            second_labels=len(others),
            rated=rated,
            estimated=by_others,
            warned=warned,
            refused=job.refused,
        ),
        cost=Money(amount=cost.quantize(Decimal("0.01")), currency=currency),
        estimate=Money(amount=estimate.quantize(Decimal("0.01")), currency=currency) if estimated else None,
        write_back=WriteBackCounts(
            due=write_backs[WriteBackStatus.DUE],
            written=write_backs[WriteBackStatus.WRITTEN],
            failed=write_backs[WriteBackStatus.FAILED],
            removed=write_backs[WriteBackStatus.REMOVED],
        ),
        error=None if job.error is None else ErrorBody.model_validate(job.error),
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        restart_of=job.restart_of,
        restarted_as=job.restarted_as,
        purged_at=job.purged_at or job.purge_began_at,
        settled=job.settled or (),
        notes=job.notes or (),
    )


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount=amount, currency=currency)
