"""Switchable faults: what they are, which requests they hit, and what they do to one. Pure; applied in calls.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.sandbox.ledger import EarlyAnswer


class Match(BaseModel):
    """Which requests a fault hits: those that meet every condition given.

    `path` is a part of the request's path (a prefix will do). Without it the fault hits ship requests only, if it
    names a row (`reference`, `recipient`, `nth`) or concerns a commit; else every business call.
    `reference` equals a reference number anywhere in the request; `recipient` equals ShipTo's Name or AttentionName.
    `nth` counts the requests that meet the other conditions, from 1: only that one is hit. `times` bounds the hits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None = None
    reference: str | None = None
    recipient: str | None = None
    nth: Annotated[int, Field(ge=1)] | None = None
    times: Annotated[int, Field(ge=1)] | None = None

    @property
    def names_a_row(self) -> bool:
        """Whether it picks out single requests."""
        return self.reference is not None or self.recipient is not None or self.nth is not None


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Match = Match()

    @property
    def concerns_commit(self) -> bool:
        """Whether it acts after the shipment is sold."""
        return False


class Latency(_Fault):
    """The answer takes `ms` milliseconds longer; the wait comes before the shipment is sold."""

    fault: Literal["latency"]
    ms: Annotated[float, Field(ge=0)] = 1000


class Error(_Fault):
    """An error body: `status`, `code`, `message`. With `committed` the work is done first, and only then denied.

    `status` 400 with a hard code (120207, 111285, …) makes a row fail as UPS would.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    fault: Literal["error"]
    status: Annotated[int, Field(ge=400, le=599)] = 503
    code: str = "10004"
    message: str = "The service is temporarily unavailable"
    committed: bool = False

    @property
    def concerns_commit(self) -> bool:
        """Only when it comes after the commit."""
        return self.committed


class EmptyAnswer(_Fault):
    """HTTP 200 without a body, with `apierrorcode: 1`: nothing is created. With `committed`: created, no header."""

    fault: Literal["empty_200"]
    committed: bool = False

    @property
    def concerns_commit(self) -> bool:
        """Always: without it, a ship request is what UPS was seen to answer so."""
        return True


class DropAfterCommit(_Fault):
    """The work is done, then the TCP connection is cut without an answer; with `reset` by RST instead of FIN."""

    fault: Literal["drop_after_commit"]
    reset: bool = False

    @property
    def concerns_commit(self) -> bool:
        """Always."""
        return True


class HangAfterCommit(_Fault):
    """The work is done, but its answer comes only after `ms` milliseconds (never, if the client leaves before)."""

    fault: Literal["hang_after_commit"]
    ms: Annotated[float, Field(ge=0)] = 60_000

    @property
    def concerns_commit(self) -> bool:
        """Always."""
        return True


class RateLimit(_Fault):
    """HTTP 429, code 10429; with header Retry-After where `retry_after` (seconds) is given. Nothing is created."""

    fault: Literal["rate_limit"]
    retry_after: Annotated[int, Field(ge=0)] | None = None


class ExpireToken(_Fault):
    """The request's token ceases to be valid: HTTP 401, code 250002. Nothing is created."""

    fault: Literal["expire_token"]


class DelayVisibility(_Fault):
    """The shipment is sold, but for `ms` milliseconds Label Recovery and Track do not see it.

    Label Recovery answers as `answer` says: that there is none, or that it is not processed yet.
    """

    fault: Literal["delay_visibility"]
    ms: Annotated[float, Field(ge=0)] = 5000
    answer: EarlyAnswer = "not_found"

    @property
    def concerns_commit(self) -> bool:
        """Always."""
        return True


class ObjectForArray(_Fault):
    """One-item arrays of the answer come as an object."""

    fault: Literal["object_for_array"]


class PublishedRates(_Fault):
    """Rating and Shipping answer without negotiated rates, as UPS does to an account that has none."""

    fault: Literal["published_rates"]


class Surcharge(_Fault):
    """The shipment is sold for so many US dollars more than its published rate."""

    fault: Literal["surcharge"]
    amount: Annotated[Decimal, Field(gt=0, decimal_places=2)]

    @property
    def concerns_commit(self) -> bool:
        """Always."""
        return True


Outcome = Error | EmptyAnswer | DropAfterCommit | HangAfterCommit | RateLimit | ExpireToken
Fault = Annotated[
    Outcome | Latency | DelayVisibility | ObjectForArray | PublishedRates | Surcharge, Field(discriminator="fault")
]
FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


@dataclass(frozen=True)
class Facts:
    """What a fault may match of a request; `ships` says that it is a ship request, `business` that it is under /api."""

    path: str
    business: bool = True
    ships: bool = False
    references: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Armed:
    """A fault in force: how many requests met its conditions, and how many it hit."""

    fault: Fault
    seen: int = 0
    hits: int = 0


@dataclass(frozen=True)
class Plan:
    """What happens to one request; at most one outcome replaces its answer."""

    latency_ms: float = 0
    delay: DelayVisibility | None = None
    object_for_array: bool = False
    published_rates: bool = False
    surcharge: Decimal = Decimal(0)
    outcome: Outcome | None = None


def matches(fault: Fault, facts: Facts) -> bool:
    """Whether the request meets the fault's conditions, `nth` and `times` aside."""
    match = fault.match
    if match.path is not None:
        on_path = match.path in facts.path
    elif match.names_a_row or fault.concerns_commit:
        on_path = facts.ships
    else:
        on_path = facts.business
    return (
        on_path
        and (match.reference is None or match.reference in facts.references)
        and (match.recipient is None or match.recipient in facts.recipients)
    )


def decide(armed: Sequence[Armed], facts: Facts) -> tuple[tuple[Armed, ...], Plan]:
    """What happens to the request, and the faults counted on.

    Latencies and surcharges add up; of several outcomes the first in the list wins and alone counts as a hit.
    """
    plan = Plan()
    counted = []
    for entry in armed:
        counted_entry = entry
        if matches(entry.fault, facts):
            counted_entry = replace(entry, seen=entry.seen + 1)
            if _is_due(counted_entry):
                extended = _extend(plan, entry.fault)
                if extended is not None:
                    plan = extended
                    counted_entry = replace(counted_entry, hits=entry.hits + 1)
        counted.append(counted_entry)
    return tuple(counted), plan


def _is_due(entry: Armed) -> bool:
    match = entry.fault.match
    return (match.nth is None or match.nth == entry.seen) and (match.times is None or entry.hits < match.times)


def _extend(plan: Plan, fault: Fault) -> Plan | None:
    """The plan with the fault added; None where an earlier fault already took its place."""
    if isinstance(fault, Latency):
        return replace(plan, latency_ms=plan.latency_ms + fault.ms)
    if isinstance(fault, ObjectForArray):
        return replace(plan, object_for_array=True)
    if isinstance(fault, PublishedRates):
        return replace(plan, published_rates=True)
    if isinstance(fault, Surcharge):
        return replace(plan, surcharge=plan.surcharge + fault.amount)
    if isinstance(fault, DelayVisibility):
        return None if plan.delay else replace(plan, delay=fault)
    return None if plan.outcome else replace(plan, outcome=fault)
