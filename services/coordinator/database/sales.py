"""A label that the carrier sold, written into its row, whoever says so: the ledger, or a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.coordinator.database.commands import writeback_of
from services.coordinator.database.invoices import has_customs, warn_of_missing_invoice
from services.coordinator.database.orders_beside import write_beside
from services.coordinator.database.statements import AnyRow, move_row, write_back_due
from services.coordinator.database.trail import JobTransaction
from shared.contracts.commands import WritebackCommand
from shared.contracts.states import RowStatus


def record_sale(
    job: JobTransaction, row: AnyRow, numbers: tuple[str, ...], sold_at: datetime, told: dict[str, Any]
) -> WritebackCommand | None:
    """Write down that a row is shipped under `numbers`, with what else is `told` of it; the cursor passes its place.

    Returns its write-back, which is due, unless it is done with this (orders_beside.py).
    """
    due = write_back_due(job, row)
    sale = {"tracking_numbers": list(numbers), "shipped_at": sold_at, "error": None}
    move_row(job, row, RowStatus.SHIPPED, {**told, **sale, **due})
    if has_customs(row) and not told.get("invoice_key"):
        warn_of_missing_invoice(job, row)
    if row.row_number == job.cursor + 1:
        job.advance(row.row_number)
    return write_beside(job, row, writeback_of(job, row, due["write_back_version"], numbers[0], sold_at))
