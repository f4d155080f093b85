"""The commands a row's step asks for, made from the row as the job database has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.coordinator.database.statements import AnyRow
from services.coordinator.database.trail import JobTransaction
from shared.contracts.commands import ShipCommand, SourcePlace, WritebackCommand, WrittenValues
from shared.contracts.source import has_sidecar
from shared.contracts.states import JobStatus, RowStatus
from shared.shipping import Shipment


@dataclass(frozen=True)
class Issue:
    """What a ship command needs beyond its row: the ledger's epoch and length, how long the command counts."""

    epoch: str
    lifetime: timedelta
    ledger_mark: int = 0


def writeback_command(job: JobTransaction, row: AnyRow, version: int | None = None) -> WritebackCommand:
    """The write-back of a row as it stands, as its `version` or its present one; a voided one's numbers are cleared."""
    version = row.write_back_version if version is None else version
    if row.status == RowStatus.VOIDED:
        return clearing_of(job, row, version)
    return writeback_of(job, row, version, (row.tracking_numbers or [None])[0], row.shipped_at)


def clearing_of(job: JobTransaction, row: AnyRow, version: int) -> WritebackCommand:
    """The write-back that takes a voided row's own numbers out of the source, as its `version`."""
    return _writeback(job, row, version, WrittenValues(tracking_number=None, shipped_at=None), row.tracking_numbers)


def writeback_of(
    job: JobTransaction, row: AnyRow, version: int, number: str | None, shipped_at: datetime | None
) -> WritebackCommand:
    """The write-back of `number` into a row, as its `version`."""
    return _writeback(job, row, version, WrittenValues(tracking_number=number, shipped_at=shipped_at), row.replaces)


def _writeback(
    job: JobTransaction, row: AnyRow, version: int, values: WrittenValues, replaces: Sequence[str] | None
) -> WritebackCommand:
    return WritebackCommand(
        job_id=job.job_id,
        row_number=row.row_number,
        source=job.parsed_source,
        source_row=row.source_row,
        row_key=row.row_key,
        checksum=row.checksum,
        row_version=version,
        values=values,
        replaces=tuple(replaces or ()),
        order_number=_order_number(row) if has_sidecar(job.parsed_source) else "",
        others=tuple(SourcePlace.model_validate(place) for place in row.others or ()),
    )


def _order_number(row: AnyRow) -> str:
    # A sale may be told of a row that was purged meanwhile.
    return Shipment.model_validate_json(row.shipment).order_number if row.shipment else ""


def must_recover(row: AnyRow, issue: Issue) -> bool:
    """Whether a row in flight is to be looked up first: it was ordered so, or its ledger was lost."""
    return bool(row.recover) or row.epoch != issue.epoch


def ship_command(job: JobTransaction, row: AnyRow, attempt: int, issue: Issue, *, recover: bool) -> ShipCommand:
    """The command to buy a row's label, as its `attempt`.

    One that may have been sold before anybody here remembers is looked for from the day on that its job was made.
    """
    return ShipCommand(
        job_id=job.job_id,
        row_number=row.row_number,
        attempt=attempt,
        epoch=issue.epoch,
        ledger_mark=issue.ledger_mark,
        reference=row.reference,
        shipment=Shipment.model_validate_json(row.shipment),
        not_after=job.now + issue.lifetime,
        recover=recover,
        since=job.created_at if recover else job.started_at or job.now,
        buy=job.status is not JobStatus.CANCELLED,
    )
