"""The outcome guards: what a ledger outcome means for a row, as one pure function over their whole domain (DESIGN §4).

`failed` and `in_doubt` count only for the row's current attempt, and only in the epoch it was ordered in; `shipped` is
accepted from any attempt in any state.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum, auto
from typing import Literal

from shared.contracts.ledger import LastKind
from shared.contracts.states import RowStatus
from shared.contracts.voiding import VoidStatus

OutcomeKind = Literal["shipped", "failed", "in_doubt"]


class Verdict(Enum):
    """What the coordinator does about an outcome."""

    RECORD = auto()  # the row in flight has its outcome: write it down, advance
    ADOPT = auto()  # a label was sold for a row nobody waits for any more: write it down, advance nothing else
    REPUBLISH = auto()  # already written down: only make sure that what follows was published
    IGNORE = auto()  # it says nothing new
    ALARM = auto()  # a second label for one row


_SETTLED_AS: dict[OutcomeKind, RowStatus] = {"failed": RowStatus.FAILED, "in_doubt": RowStatus.IN_DOUBT}


def judge(
    kind: OutcomeKind,
    outcome_attempt: int,
    outcome_numbers: Collection[str],
    row_status: RowStatus,
    row_attempt: int,
    row_numbers: Collection[str],
    *,
    same_epoch: bool = True,
) -> Verdict:
    """The verdict on an outcome of `kind`, given the row's state, attempt and tracking numbers.

    `same_epoch` says that the outcome is of the epoch in which the row was ordered last. One of another proves nothing:
    a row ordered again after its ledger was lost is looked up, and has its outcome from that.
    """
    if kind == "shipped":
        return _judge_shipped(outcome_numbers, row_status, row_numbers)
    if outcome_attempt != row_attempt or not same_epoch:
        return Verdict.IGNORE
    if row_status is RowStatus.IN_FLIGHT:
        return Verdict.RECORD
    return Verdict.REPUBLISH if row_status is _SETTLED_AS[kind] else Verdict.IGNORE


def judge_void(kind: VoidStatus, row_status: RowStatus) -> Verdict:
    """The verdict on a void's outcome, given the state of the row or second label whose shipment it names.

    `voided` counts from any state, for a command thought lost may be carried out late; `refused` only where it is
    waited for; `unanswered` decides nothing.
    """
    if kind == "unanswered":
        return Verdict.IGNORE
    if row_status is RowStatus.VOIDING or (kind == "voided" and row_status is RowStatus.SHIPPED):
        return Verdict.RECORD
    return Verdict.IGNORE


def _judge_shipped(numbers: Collection[str], row_status: RowStatus, row_numbers: Collection[str]) -> Verdict:
    if row_status is RowStatus.IN_FLIGHT:
        return Verdict.RECORD
    if row_status in {RowStatus.SHIPPED, RowStatus.VOIDING, RowStatus.VOIDED}:
        # One parcel in common is one shipment, told in full by one side only.
        if set(numbers).isdisjoint(row_numbers):
            return Verdict.ALARM
        return Verdict.REPUBLISH if row_status is RowStatus.SHIPPED else Verdict.IGNORE
    return Verdict.ADOPT


class Ending(Enum):
    """What becomes of a row in flight that is not to be worked on any more."""

    FAIL = auto()  # nobody ever called for it
    PARK = auto()  # somebody may have called
    RECORD = auto()  # the ledger has its outcome


def judge_unfinished(last: LastKind, last_attempt: int, row_attempt: int, *, recover: bool) -> Ending:
    """How a row in flight ends that is withdrawn or abandoned, given its last ledger entry.

    `recover` says that a call may have been made which the ledger does not know of. An earlier attempt's doubt counts:
    it was to be looked up before the call.
    """
    if last == "shipped" or (last in {"failed", "in_doubt"} and last_attempt >= row_attempt):
        return Ending.RECORD
    if recover or last in {"claimed", "in_doubt"}:
        return Ending.PARK
    return Ending.FAIL
