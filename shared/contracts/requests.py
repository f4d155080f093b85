"""What others publish to have a batch shipped (DESIGN §6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.message import JobId, Message, RequestId
from shared.contracts.source import Source
from shared.contracts.states import InterruptPolicy, JobMode

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_-]{0,39}$")]


class JobRequest(Message):
    """A job request on `tally.requests.submit`; the same `request_id` twice is the same job.

    `where` is one SQL condition over the source's columns, `mapping` a built-in mapping's name, a YAML file under a
    source root, or `auto`: the built-in one that the source's columns are those of. `service` overrides every row's
    service level: with one of them, or with `cheapest` or `cheapest-by:2026-11-25` (the cheapest that arrives by that
    day), by which the carrier's prices choose for each row while it is taken in. `on_interrupt` defaults to `ask` in
    confirm mode and to `resume` in auto mode. `reship` ships rows again that an earlier job or the source itself says
    are shipped; `restart_of` does so for the rows that one job, or a job that it restarted, shipped. `include` names
    reasons for which the mapping leaves orders out, such as `fulfilled`: these orders ship nevertheless. `skip_invalid`
    leaves out the orders that cannot ship, where otherwise one of them has the whole request refused.
    """

    request_id: RequestId
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    source: Source
    where: str | None = None
    mapping: str = "auto"
    service: str | None = None
    mode: JobMode = JobMode.CONFIRM
    on_interrupt: InterruptPolicy | None = None
    requested_by: Annotated[str, StringConstraints(max_length=200)] = ""
    reship: bool = False
    restart_of: JobId | None = None
    include: Annotated[tuple[Reason, ...], Field(max_length=10)] = ()
    skip_invalid: bool = False
