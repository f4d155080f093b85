"""What callers send besides a job request: orders for a job or a row. `by` goes to the audit trail."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.console.access import Caller
from shared.contracts.api import TrackingNumber
from shared.contracts.message import RequestId, RowNumber
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobMode
from shared.shipping import Money


class Order(BaseModel):
    """An order; `by` is who gives it, where that is not whoever is logged in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, StringConstraints(max_length=200)] = ""

    def giver(self, caller: Caller) -> str:
        """Who gives it, for the audit trail."""
        return self.by or caller.name


class Approval(Order):
    """Ship what was previewed. With `estimate`, the total seen, it holds only for that and for the source as read."""

    estimate: Money | None = None


class Restart(Order):
    """Do a job over as a new one, in `mode` or else the job's own."""

    mode: JobMode | None = None


class Verify(Order):
    """Compare a job's numbers with its source; with `rewrite` those that lack there are written once more."""

    rewrite: bool = True


class Resolution(Order):
    """What a person found out about a row in doubt: its tracking number, or null where nothing was bought."""

    tracking_number: TrackingNumber | None
    reason: Annotated[str, StringConstraints(max_length=500)] = ""


class Void(Order):
    """Give the labels of shipped rows back to the carrier: all of them, or none where one has no label.

    With `tracking_number` it is the second label of that number which is voided, of the one row named.
    """

    row_numbers: Annotated[tuple[RowNumber, ...], Field(min_length=1, max_length=10_000)]
    tracking_number: TrackingNumber | None = None


class SourceQuestion(JobRequest):
    """A job request about which something is asked without making a job; it needs no id."""

    request_id: RequestId = "question"
