"""Labels that the carrier sold for a row besides the one that is recorded: kept, told, voided on request."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, text

from services.coordinator.database.statements import AnyRow, update_row
from services.coordinator.database.tables import second_labels
from services.coordinator.database.trail import JobTransaction
from shared.contracts.ledger import Shipped
from shared.contracts.states import RowStatus
from shared.errors import SECOND_LABEL, ErrorBody, TallyError

_INSERT = text(
    "INSERT INTO second_labels (job_id, row_number, shipment_id, tracking_numbers, cost_amount, cost_currency, status)"
    " VALUES (:job_id, :row_number, :shipment_id, :tracking_numbers, :cost_amount, :cost_currency, :status)"
    " ON CONFLICT (job_id, row_number, shipment_id) DO NOTHING"
).bindparams(
    bindparam("tracking_numbers", type_=second_labels.c.tracking_numbers.type),
    bindparam("cost_amount", type_=second_labels.c.cost_amount.type),
)


def note(job: JobTransaction, row: AnyRow, sale: Shipped) -> bool:
    """Keep a second label of `row` and put the error on the row that names both; False where it is known already."""
    inserted = job.connection.execute(
        _INSERT,
        {
            "job_id": job.job_id,
            "row_number": row.row_number,
            "shipment_id": sale.shipment_id,
            "tracking_numbers": list(sale.tracking_numbers),
            "cost_amount": None if sale.cost is None else sale.cost.amount,
            "cost_currency": None if sale.cost is None else sale.cost.currency,
            "status": RowStatus.SHIPPED.value,
        },
    )
    if not inserted.rowcount:
        return False
    numbers = list(sale.tracking_numbers)
    job.trail.add(
        "row.second_label",
        actor="shipper",
        row=row.row_number,
        attempt=sale.attempt,
        tracking_numbers=numbers,
        cost=None if sale.cost is None else str(sale.cost),
    )
    tell(job, row, None)
    return True


def tell(job: JobTransaction, row: AnyRow, error: ErrorBody | None) -> None:
    """Put `error` on a settled row; without one, what there is to say of a second label, if any."""
    shown = error or _warning(job, row)
    update_row(job, row.row_number, {"error": None if shown is None else shown.model_dump(mode="json")})


def _warning(job: JobTransaction, row: AnyRow) -> ErrorBody | None:
    """E-3021 for the first second label of a row that is not voided."""
    found = job.connection.execute(
        select(second_labels.c.tracking_numbers)
        .where(
            second_labels.c.job_id == job.job_id,
            second_labels.c.row_number == row.row_number,
            second_labels.c.status != RowStatus.VOIDED.value,
        )
        .order_by(second_labels.c.shipment_id)
        .limit(1)
    ).scalar_one_or_none()
    if found is None:
        return None
    own = ", ".join(row.tracking_numbers or ())
    return TallyError(
        SECOND_LABEL,
        row=row.row_number,
        tracking_number=own,
        other=found[0],
        job_id=job.job_id,
        row_number=row.row_number,
    ).body


def of_row(connection: Connection, job_id: str, row_number: int) -> list[AnyRow]:
    """A row's second labels, voided ones too."""
    wanted = (second_labels.c.job_id == job_id, second_labels.c.row_number == row_number)
    return list(connection.execute(select(second_labels).where(*wanted).order_by(second_labels.c.shipment_id)))


def any_left(job: JobTransaction) -> bool:
    """Whether a row of the job has a second label that is not voided."""
    wanted = (second_labels.c.job_id == job.job_id, second_labels.c.status != RowStatus.VOIDED.value)
    return job.connection.execute(select(second_labels.c.row_number).where(*wanted).limit(1)).first() is not None
