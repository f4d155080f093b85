"""What a shipper reports after it asked the carrier to take a shipment back."""

from __future__ import annotations

from typing import Literal

from shared.contracts.message import JobId, Message, RowNumber, Timestamp
from shared.errors import ErrorBody


class VoidOutcome(Message):
    """One void's outcome, on `tally.outcomes.void.<job>`; `error` is set where `status` is refused.

    `refused` also says that the carrier gave no answer in several tries: the label may be void or not, and asking again
    finds out.
    """

    job_id: JobId
    row_number: RowNumber
    shipment_id: str
    status: Literal["voided", "refused"]
    at: Timestamp
    error: ErrorBody | None = None
