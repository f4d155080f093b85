"""The legal transitions of a job, a row and a row's write-back: the one table everything else asks.

docs/states.md draws it; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from shared.contracts.states import JobStatus, RowStatus, WriteBackStatus

State = TypeVar("State", bound=StrEnum)

JOB: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset(
        {JobStatus.AWAITING_APPROVAL, JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}
    ),
    JobStatus.AWAITING_APPROVAL: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset(
        {
            JobStatus.COMPLETED,
            JobStatus.COMPLETED_WITH_WARNINGS,
            JobStatus.FAILED,
            JobStatus.CANCELLED,
            JobStatus.PAUSED,
            JobStatus.INTERRUPTED,
        }
    ),
    JobStatus.PAUSED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.INTERRUPTED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.FAILED: frozenset({JobStatus.RUNNING, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset({JobStatus.COMPLETED_WITH_WARNINGS}),
    JobStatus.COMPLETED_WITH_WARNINGS: frozenset({JobStatus.COMPLETED}),
    JobStatus.CANCELLED: frozenset(),
}

# `shipped` is reachable from every unsettled state: a label that the carrier sold counts whenever the news comes.
ROW: Mapping[RowStatus, frozenset[RowStatus]] = {
    RowStatus.PENDING: frozenset({RowStatus.IN_FLIGHT, RowStatus.SHIPPED, RowStatus.SKIPPED}),
    RowStatus.IN_FLIGHT: frozenset({RowStatus.SHIPPED, RowStatus.FAILED, RowStatus.IN_DOUBT, RowStatus.PENDING}),
    RowStatus.FAILED: frozenset({RowStatus.IN_FLIGHT, RowStatus.SHIPPED, RowStatus.SKIPPED}),
    RowStatus.IN_DOUBT: frozenset({RowStatus.SHIPPED, RowStatus.FAILED}),
    RowStatus.SKIPPED: frozenset({RowStatus.SHIPPED}),
    RowStatus.SHIPPED: frozenset({RowStatus.VOIDING}),
    RowStatus.VOIDING: frozenset({RowStatus.VOIDED, RowStatus.SHIPPED}),
    RowStatus.VOIDED: frozenset(),
}

WRITE_BACK: Mapping[WriteBackStatus, frozenset[WriteBackStatus]] = {
    WriteBackStatus.NONE: frozenset({WriteBackStatus.DUE}),
    WriteBackStatus.DUE: frozenset({WriteBackStatus.WRITTEN, WriteBackStatus.FAILED, WriteBackStatus.REMOVED}),
    WriteBackStatus.FAILED: frozenset({WriteBackStatus.DUE, WriteBackStatus.WRITTEN, WriteBackStatus.REMOVED}),
    WriteBackStatus.WRITTEN: frozenset({WriteBackStatus.DUE, WriteBackStatus.REMOVED}),
    WriteBackStatus.REMOVED: frozenset({WriteBackStatus.DUE}),
}

UNSETTLED_ROWS = frozenset(
    {RowStatus.PENDING, RowStatus.IN_FLIGHT, RowStatus.FAILED, RowStatus.IN_DOUBT, RowStatus.VOIDING}
)
# Nobody but the carrier or a person can say what becomes of these.
OPEN_ROWS = frozenset({RowStatus.IN_FLIGHT, RowStatus.IN_DOUBT, RowStatus.VOIDING})
# These have a label that stands.
LABELLED_ROWS = frozenset({RowStatus.SHIPPED, RowStatus.VOIDING})
COMPLETE_JOBS = frozenset({JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_WARNINGS})
ENDED_JOBS = COMPLETE_JOBS | {JobStatus.FAILED, JobStatus.CANCELLED}


def allows(table: Mapping[State, frozenset[State]], current: State, target: State) -> bool:
    """Whether `table` lets `current` become `target`."""
    return target in table[current]


def sources(table: Mapping[State, frozenset[State]], target: State) -> frozenset[State]:
    """The states from which `target` may be entered."""
    return frozenset(state for state, targets in table.items() if target in targets)
