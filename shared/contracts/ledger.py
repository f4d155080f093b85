"""The shipment ledger: one subject per row, a compare-and-set register and its event log (DESIGN §3, §4).

An outcome's `calls` are those that the delivery which came to it made to the carrier.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from shared.contracts.calls import CarrierCall
from shared.contracts.message import Attempt, JobId, Message, RowNumber, Timestamp, of_known_version
from shared.errors import ErrorBody
from shared.shipping import Money


class Evidence(BaseModel):
    """One look-up: what was asked of the carrier, when, and what it said."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: Timestamp
    asked: str
    answer: str


class KnownLedger(Message):
    """How far the ledger of an epoch is known to have come, on `tally.known.ledger`; answered with what is known then.

    A shipper says it that finds the ledger behind that: it was put back to an earlier state. `digest` is the SHA-256 in
    hex of the entry that was at `sequence`, blank where that is not known.
    """

    epoch: str
    sequence: int
    digest: str = ""


class _Entry(Message):
    job_id: JobId
    row_number: RowNumber
    attempt: Attempt
    epoch: str
    claim_id: str


class Claimed(_Entry):
    """A shipper owns the row while the last entry carries its claim id.

    After `last_possible_commit` the carrier can no longer sell a label for this claim's call: the send deadline, the
    call's time-out, the TCP user time-out and a margin have all passed.
    """

    kind: Literal["claimed"] = "claimed"
    reference: str
    owner: str
    claimed_at: Timestamp
    last_possible_commit: Timestamp


class Shipped(_Entry):
    """The carrier sold the shipment. `cost` is null where it could not be learned; `adopted` says a look-up found it.

    `label_key` is the first parcel's label in the label store, `label_keys` are all parcels' where there are several,
    in the order of `tracking_numbers`; `invoice_key` is the commercial invoice of a shipment that crosses a border.
    """

    kind: Literal["shipped"] = "shipped"
    shipment_id: str
    tracking_numbers: tuple[str, ...] = Field(min_length=1)
    cost: Money | None
    label_key: str | None
    label_due: bool = False
    label_keys: tuple[str, ...] = ()
    invoice_key: str | None = None
    shipped_at: Timestamp
    adopted: bool = False
    carrier_ms: float | None = Field(default=None, description="Milliseconds that the carrier's call took.")
    evidence: tuple[Evidence, ...] = ()
    calls: tuple[CarrierCall, ...] = ()


class Failed(_Entry):
    """Nothing was bought, provably."""

    kind: Literal["failed"] = "failed"
    error: ErrorBody
    failed_at: Timestamp
    evidence: tuple[Evidence, ...] = ()
    calls: tuple[CarrierCall, ...] = ()


class InDoubt(_Entry):
    """Nobody can prove whether a label was bought; a person decides.

    After `last_possible_commit` the carrier can no longer sell a label for a call made so far; null where nobody knows.
    """

    kind: Literal["in_doubt"] = "in_doubt"
    reference: str
    error: ErrorBody
    parked_at: Timestamp
    last_possible_commit: Timestamp | None = None
    evidence: tuple[Evidence, ...] = ()
    calls: tuple[CarrierCall, ...] = ()


Outcome = Shipped | Failed | InDoubt
# The kind of a row's last entry, where it has one.
LastKind = Literal["none", "claimed", "shipped", "failed", "in_doubt"]
LedgerEntry = Annotated[
    Claimed | Shipped | Failed | InDoubt,
    Field(discriminator="kind"),
    BeforeValidator(lambda body: of_known_version("a ledger entry", _Entry.newest, body)),
]
ledger_entry: TypeAdapter[Claimed | Shipped | Failed | InDoubt] = TypeAdapter(LedgerEntry)
