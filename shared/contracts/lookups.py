"""What the coordinator has the shippers look up with the carrier: core request and reply, safe to ask again."""

from __future__ import annotations

from pydantic import Field

from shared.contracts.calls import CarrierCall
from shared.contracts.ledger import Evidence
from shared.contracts.message import Attempt, JobId, Message, RowNumber, Timestamp
from shared.errors import ErrorBody
from shared.shipping import Money, Shipment


class RecoverLabel(Message):
    """Fetch a sold row's labels and store them, on `tally.labels.recover`; `shipment` is rated where it is given.

    Where fewer numbers are known than it has `parcels`, since a person found one of them, the others are looked up by
    its `reference`, first sent at `since`.
    """

    job_id: JobId
    row_number: RowNumber
    tracking_numbers: tuple[str, ...] = Field(min_length=1)
    shipment: Shipment | None = None
    reference: str = ""
    parcels: int = Field(default=1, ge=1)
    since: Timestamp | None = None


class LabelRecovered(Message):
    """The first label's key in the label store, or why there is none; the cost where it was asked for and is known.

    `label_keys` are all parcels' where there are several. `tracking_numbers` are the whole shipment's, with its id,
    where a look-up told more than was known. `calls` are those that it took.
    """

    label_key: str | None = None
    label_keys: tuple[str, ...] = ()
    shipment_id: str | None = None
    tracking_numbers: tuple[str, ...] = ()
    cost: Money | None = None
    error: ErrorBody | None = None
    calls: tuple[CarrierCall, ...] = ()


class FindShipment(Message):
    """Look a row in doubt up once more, on `tally.shipments.find`; `since` is when it was first sent."""

    job_id: JobId
    row_number: RowNumber
    attempt: Attempt
    reference: str
    since: Timestamp
    shipment: Shipment


class ShipmentSought(Message):
    """What was asked and answered; `adopted` says that the sale was found and is in the ledger.

    `calls` are those that it took; of a sale that was found they are in the ledger with it.
    """

    evidence: tuple[Evidence, ...] = ()
    adopted: bool = False
    calls: tuple[CarrierCall, ...] = ()
