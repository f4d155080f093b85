"""A job's report: what was charged for what, how that compares with the estimate, what was slow, what is left open."""

from __future__ import annotations

from shared.contracts.documents import Document, JobDocument
from shared.contracts.message import JobId, Message, RowNumber
from shared.contracts.states import RowStatus
from shared.errors import ErrorBody
from shared.shipping import Money


class ShowReport(Message):
    """A job's report; answered with a `ReportDocument`."""

    job_id: JobId


class ZoneCost(Document):
    """What was charged by one service in one rate zone, and not voided since; all of a job's make its cost.

    `zone` is the carrier's, empty for rows that it named none for. `second_labels` are in `cost` besides those of the
    `rows`; what `without_cost` of these cost is not known yet. `compared` ones have a charge and an estimate:
    `estimate` and `charge` are the sums of theirs.
    """

    service: str
    zone: str
    rows: int
    second_labels: int
    without_cost: int
    cost: Money
    compared: int
    estimate: Money
    charge: Money


class ChargedRow(Document):
    """A row whose charge differs from its estimate; `estimated` says that this was that of rows like it."""

    row_number: RowNumber
    estimate: Money
    charge: Money
    estimated: bool


class SlowRow(Document):
    """How many milliseconds the carrier took to sell a row's labels."""

    row_number: RowNumber
    attempt: int
    carrier_ms: int


class UnsettledRow(Document):
    """A row that failed or is in doubt, and why."""

    row_number: RowNumber
    source_row: RowNumber
    status: RowStatus
    error: ErrorBody | None


class UnwrittenRow(Document):
    """A row whose number could not be written back, and why."""

    row_number: RowNumber
    source_row: RowNumber
    error: ErrorBody | None


class ReportDocument(Document):
    """A job's report. Lists are cut: the job's counts say how many rows there are of each kind.

    `charged_more` and `charged_less` rows of those compared differ from their estimate; `charges` are those that differ
    most. The carrier's time is known of `timed` purchases: their median and longest in milliseconds, and the `slowest`.
    """

    job: JobDocument
    costs: tuple[ZoneCost, ...] = ()
    charged_more: int = 0
    charged_less: int = 0
    charges: tuple[ChargedRow, ...] = ()
    timed: int = 0
    median_ms: int | None = None
    longest_ms: int | None = None
    slowest: tuple[SlowRow, ...] = ()
    unsettled: tuple[UnsettledRow, ...] = ()
    unwritten: tuple[UnwrittenRow, ...] = ()
