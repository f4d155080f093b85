"""What a shipper reports after it asked the carrier to take a shipment back."""

from __future__ import annotations

from typing import Literal

from shared.contracts.calls import CarrierCall
from shared.contracts.message import JobId, Message, RowNumber, Timestamp
from shared.errors import ErrorBody

VoidStatus = Literal["voided", "refused", "unanswered"]


class VoidOutcome(Message):
    """One void's outcome, on `tally.outcomes.void.<job>`; `error` is set where `status` is not voided.

    `unanswered` decides nothing: the carrier did not say, and is asked again. `refused` also says that it gave no
    answer in several tries: the label may be void or not, and asking again finds out. `calls` are those that it took.
    """

    job_id: JobId
    row_number: RowNumber
    shipment_id: str
    status: VoidStatus
    at: Timestamp
    error: ErrorBody | None = None
    calls: tuple[CarrierCall, ...] = ()
