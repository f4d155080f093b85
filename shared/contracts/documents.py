"""Jobs, rows and previews as clients see them (DESIGN §7)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.ledger import Evidence
from shared.contracts.message import JobId, RowNumber, Timestamp
from shared.contracts.source import Source
from shared.contracts.states import InterruptPolicy, JobMode, JobStatus, RowStatus, WriteBackStatus
from shared.contracts.warning import RowWarning
from shared.errors import ErrorBody
from shared.shipping import Money, Shipment


class Document(BaseModel):
    """A document a client reads: immutable; fields a reader does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RowCounts(Document):
    """How many rows of a job there are, and how many are in each state that matters.

    Of the `skipped` rows the `refused` ones could not ship, and are left out on request. `shipped_again` rows ship, or
    did, although their order was shipped before. `second_labels` are labels sold for a row besides the recorded one and
    not voided yet; `voiding` counts those of them that are being voided as well. The job's estimate is of `rated` rows,
    which the carrier named a price for, and of `estimated` ones, which it did not in time; of the others nothing is
    known. `warned` rows have a warning.
    """

    total: int = 0
    shipped: int = 0
    failed: int = 0
    skipped: int = 0
    in_doubt: int = 0
    voiding: int = 0
    voided: int = 0
    shipped_again: int = 0
    second_labels: int = 0
    rated: int = 0
    estimated: int = 0
    warned: int = 0
    refused: int = 0


class WriteBackCounts(Document):
    """How many rows wait for their write-back (voided ones to be cleared), have their number, or could not have it.

    Those of `removed` rows are left out: a person restored the source, or a later job's number stands there.
    """

    due: int = 0
    written: int = 0
    failed: int = 0
    removed: int = 0


class SettledOrders(Document):
    """How many orders are left out since their platform says so, for a `reason` such as fulfilled or cancelled.

    `rows` are the source's rows, from 1, in which the first of them begin.
    """

    reason: str
    count: int
    rows: tuple[int, ...] = ()


class JobDocument(Document):
    """A job. `cursor` is the number of rows settled from the first; `cost` what was charged and not voided since.

    `settled` orders of its source are no rows of it; `notes` say how the source was read. `restart_of` is the job that
    this one does over, `restarted_as` the one that does this one over. A job with `purged_at` has its counts, costs and
    numbers; its personal data, labels and ledger entries are gone, or going.
    """

    job_id: JobId
    request_id: str
    name: str
    status: JobStatus
    mode: JobMode
    on_interrupt: InterruptPolicy
    source: Source | None
    where: str | None = None
    mapping: str = ""
    requested_by: str = ""
    cursor: int
    rows: RowCounts
    cost: Money
    estimate: Money | None = None
    write_back: WriteBackCounts
    error: ErrorBody | None = None
    created_at: Timestamp
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    restart_of: JobId | None = None
    restarted_as: JobId | None = None
    purged_at: Timestamp | None = None
    settled: tuple[SettledOrders, ...] = ()
    notes: tuple[str, ...] = ()


class WriteBackDocument(Document):
    """One row's write-back."""

    status: WriteBackStatus
    error: ErrorBody | None = None


class LabelDocument(Document):
    """One row's label: its key under the label store's URL; `due` while it is still to be fetched.

    `keys` are every parcel's, in the order of the tracking numbers. `invoice` is the key of the commercial invoice, a
    PDF; null for a shipment that needs none, and where the carrier's answer was lost: it gives the invoice only once.
    """

    key: str | None
    due: bool = False
    keys: tuple[str, ...] = ()
    invoice: str | None = None


class ShippedBefore(Document):
    """That an order is shipped already: by which job's row, or where `job_id` is null by the source's word only."""

    job_id: JobId | None
    row_number: RowNumber | None = None
    tracking_numbers: tuple[str, ...]


class SkippedBy(Document):
    """How many rows are skipped for what job `job_id` shipped, or where it is null for a number in the source."""

    job_id: JobId | None
    count: int


class SecondLabel(Document):
    """A label that the carrier sold for a row besides the recorded one; `status` is shipped, voiding or voided."""

    tracking_numbers: tuple[str, ...]
    status: RowStatus
    cost: Money | None = None


class RowDocument(Document):
    """A row of a job. `shipped_before` is set where its order was shipped before, whether it is skipped or not.

    Of a row that is `purged` the personal data are gone: recipient, destination, label, evidence, the words of errors.
    `estimated` says that its estimate is not the carrier's own price but that of rows like it.
    """

    row_number: RowNumber
    source_row: RowNumber
    status: RowStatus
    attempt: int
    reference: str
    recipient: str
    destination: str
    service: str
    tracking_numbers: tuple[str, ...] = ()
    cost: Money | None = None
    estimate: Money | None = None
    estimated: bool = False
    label: LabelDocument | None = None
    write_back: WriteBackDocument
    error: ErrorBody | None = None
    shipped_at: Timestamp | None = None
    evidence: tuple[Evidence, ...] = ()
    second_labels: tuple[SecondLabel, ...] = ()
    shipped_before: ShippedBefore | None = None
    warnings: tuple[RowWarning, ...] = ()
    purged: bool = False


class PreviewRow(Document):
    """One row of a preview; `skipped` says why it will not ship, `error` why it cannot be rated, or cannot ship.

    `estimated` says that its estimate is not the carrier's own price but that of rows like it. `shipped_before` is set
    where its order is shipped already, whether it is skipped or shipped again.
    """

    row_number: RowNumber
    recipient: str
    destination: str
    service: str
    estimate: Money | None = None
    estimated: bool = False
    skipped: str | None = None
    shipped_before: ShippedBefore | None = None
    error: ErrorBody | None = None
    warnings: tuple[RowWarning, ...] = ()


class PreviewDocument(Document):
    """What shipping a source would cost: totals over every row, and the first rows one by one.

    The estimate is of `rated` rows, which the carrier named a price for, and of `estimated` ones, which it did not in
    time; `unrated` ones are not in it. `warned` rows have a warning. `skipped_by` says whose shipments the skipped rows
    are, `shipped_again` how many rows ship although they are shipped already. Of the skipped ones `refused` cannot ship
    and are left out on request, the first of them for the reasons in `problems`. `settled` orders are left out of the
    total. `notes` say how the rows were read.
    """

    source: Source
    where: str | None
    mapping: str
    total: int
    to_ship: int
    skipped: int
    refused: int = 0
    problems: tuple[ErrorBody, ...] = ()
    estimate: Money
    rated: int = 0
    estimated: int = 0
    unrated: int
    warned: int = 0
    rows: tuple[PreviewRow, ...]
    skipped_by: tuple[SkippedBy, ...] = ()
    shipped_again: int = 0
    settled: tuple[SettledOrders, ...] = ()
    notes: tuple[str, ...] = ()


class ServiceCost(Document):
    """What a source's rows would cost by one service: the `rows` that it is offered for, and their price.

    `fewest_days` and `most_days` are business days in transit, `last_arrival` is when the last of them arrives if they
    leave today; null where the carrier does not tell that of every one.
    """

    service: str
    rows: int
    cost: Money
    fewest_days: int | None = None
    most_days: int | None = None
    last_arrival: date | None = None


class ComparisonDocument(Document):
    """What the rows of a source that ship would cost by each service, those offered for most rows first.

    `cheapest` is each row by its cheapest service, `own` each by the service that it goes by now: that of the request,
    its own, or ground. Both are of the `rated` rows; `refused` ones are offered no service, for the reasons of which
    `problems` tell the first, and of `unrated` ones nothing is known. `notes` say how the rows were read.
    """

    source: Source
    where: str | None
    mapping: str
    total: int
    to_ship: int
    skipped: int
    services: tuple[ServiceCost, ...]
    cheapest: Money
    own: Money
    own_rows: int
    rated: int
    refused: int = 0
    unrated: int = 0
    problems: tuple[ErrorBody, ...] = ()
    notes: tuple[str, ...] = ()


class InspectionDocument(Document):
    """What a source is, and what would become of its orders.

    `facts` tell how it is read (of a CSV file encoding, delimiter, quote, line_end), `notes` what was done to read it.
    `mapping` is the one `picked`: by the headers, as the generic one since no other fits, or by name; `fields` has the
    columns that go into each field, and none for one that is the same in every row. `order_column` says which rows are
    one order. Of `total` orders `skipped` are shipped already and `refused` cannot ship, for the reasons in `problems`;
    besides these `left_out` rows are no orders, and `settled` orders are not to be shipped, as the columns in
    `leaves_out_by` say for each reason. `first` is the first shipment, of row `first_row`. `error` is set where no
    row can be mapped, `not_writable` where the source would be refused since it cannot be written back to.
    """

    source: Source
    facts: dict[str, str]
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...]
    rows: int
    where: str | None = None
    mapping: str
    picked: Literal["headers", "generic", "name"]
    fields: dict[str, tuple[str, ...]]
    order_column: str | None = None
    total: int = 0
    skipped: int = 0
    left_out: int = 0
    settled: tuple[SettledOrders, ...] = ()
    leaves_out_by: dict[str, tuple[str, ...]] = {}
    refused: int = 0
    problems: tuple[ErrorBody, ...] = ()
    first: Shipment | None = None
    first_row: int | None = None
    error: ErrorBody | None = None
    not_writable: ErrorBody | None = None


class UnverifiedRow(Document):
    """A row whose tracking number does not stand in its source.

    `missing`: there is none; `other`: `found` stands there; `gone`: the row is not there any more as it was read;
    `replaced`: `later_job` shipped the order again, under the number `found`, so that this one is not to stand there;
    `voided`: it stands there although its label is voided.
    """

    row_number: RowNumber
    source_row: RowNumber
    verdict: Literal["missing", "other", "gone", "replaced", "voided"]
    tracking_number: str
    found: str = ""
    later_job: JobId | None = None


class VerificationDocument(Document):
    """A job's tracking numbers against its source.

    Of the numbers that the job was to write, `matching` stand there; the others are counted by verdict, the first of
    them in `rows`. `due` are on their way there, `failed` could not be written, `removed` are left out (see
    WriteBackCounts). `rewritten` were ordered to be written, or cleared, once more. It `agrees` where every number
    stands in its row but those that were `replaced` by a later job's, and no `voided` one stands anywhere.
    """

    job_id: JobId
    source: Source
    matching: int = 0
    missing: int = 0
    other: int = 0
    gone: int = 0
    replaced: int = 0
    voided: int = 0
    due: int = 0
    failed: int = 0
    removed: int = 0
    rewritten: int = 0
    agrees: bool
    rows: tuple[UnverifiedRow, ...] = ()
