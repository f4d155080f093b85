"""What the coordinator tells the shipper and writeback to do, one row at a time (DESIGN §3, §4)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.contracts.message import Attempt, JobId, Message, RowNumber, Timestamp
from shared.contracts.source import Source
from shared.shipping import Shipment


class ShipCommand(Message):
    """Buy one row's label, on `tally.commands.ship.<job>`.

    `epoch` names the ledger the coordinator knew (its stream's creation time), `ledger_mark` a sequence that it had: a
    shipper that sees another ledger drops the command, one that finds it shorter calls nobody. `recover` asks for a
    look-up by `reference` before any call; look-ups go back to `since`, when the job was started or, with `recover`,
    made. Without `buy`, of a cancelled job, nothing is bought any more: what was bought is found. After `not_after` the
    command is void.
    """

    job_id: JobId
    row_number: RowNumber
    attempt: Attempt
    epoch: str
    ledger_mark: int = 0
    reference: str
    shipment: Shipment
    not_after: Timestamp
    recover: bool = False
    since: Timestamp | None = None
    buy: bool = True


class ShipCommandAbandoned(Message):
    """A ship command that was delivered `deliveries` times without an outcome, on `tally.outcomes.abandoned.<job>`.

    The shipper that reports it did nothing else with it; the coordinator decides what becomes of the row.
    """

    job_id: JobId
    row_number: RowNumber
    attempt: Attempt
    deliveries: int


class VoidCommand(Message):
    """Give one shipment back to the carrier, on `tally.commands.void.<job>.<row>`; safe to carry out twice.

    `tracking_numbers` are its parcels', for whoever reads the log; the shipment is voided whole.
    """

    job_id: JobId
    row_number: RowNumber
    shipment_id: str
    tracking_numbers: tuple[str, ...]


class WrittenValues(BaseModel):
    """What goes into a row's tracking columns; null clears them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tracking_number: str | None
    shipped_at: Timestamp | None


class SourcePlace(BaseModel):
    """A row of a source as it was read at intake (shared/sources/rows.py)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_row: int
    row_key: str
    checksum: str


class WritebackCommand(Message):
    """Write one row's tracking number into its source, on `tally.commands.writeback.<source hash>.<job>.<row>`.

    `row_key` and `checksum` tell the row apart as it was read at intake: `source_row` counts data rows from 1, and
    `checksum` covers the values of every column but the tracking columns. Of several commands for a row the greatest
    `row_version` counts. A number in `replaces` may be overwritten or cleared; any other one there is left alone. What
    is written goes into every row of `others`, too: they are the same order. `order_number` is the row's own in its
    source, for a file beside that; '' where the source itself is written to.
    """

    job_id: JobId
    row_number: RowNumber
    source: Source
    source_row: RowNumber
    row_key: str
    checksum: str
    row_version: int
    values: WrittenValues
    replaces: tuple[str, ...] = ()
    order_number: str = ""
    others: tuple[SourcePlace, ...] = ()
