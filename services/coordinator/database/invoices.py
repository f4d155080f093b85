"""What is said of a row that went abroad without its commercial invoice kept."""

from __future__ import annotations

from sqlalchemy import select

from services.coordinator.database.statements import AnyRow, update_row
from services.coordinator.database.tables import rows
from services.coordinator.database.trail import JobTransaction
from shared.contracts.warning import RowWarning, WarningCode

_MISSING = RowWarning(
    code=WarningCode.INVOICE_MISSING,
    field="customs",
    message="The commercial invoice could not be kept; print it at the carrier's site before the parcel leaves.",
)
# A quote within a text is escaped, so this can only be the name of the field, which is there for customs' goods only.
_CUSTOMS_FIELD = '"customs":'


def has_customs(row: AnyRow) -> bool:
    """Whether a row's shipment has goods that customs is told of; looked for in its JSON, for few have any."""
    return _CUSTOMS_FIELD in row.shipment


def warn_of_missing_invoice(job: JobTransaction, row: AnyRow) -> None:
    """Add the warning to a row's others."""
    known = job.connection.execute(
        select(rows.c.warnings).where(rows.c.job_id == job.job_id, rows.c.row_number == row.row_number)
    ).scalar_one()
    update_row(job, row.row_number, {"warnings": [*(known or ()), _MISSING.model_dump(mode="json")]})
