"""Every case: each fail point with each fault, the bus and the carrier at several moments, one process and several."""

from __future__ import annotations

from shared.failpoints import FAIL_POINTS, FailPoint
from tests.crash.cases import Case, Fault, Story
from tests.crash.shapes import NATS, ROLES, SANDBOX

# What a job passes once, or once for a flush of several rows; every other point is passed once a row.
_ONCE = frozenset(
    {
        "coordinator.before_admit",
        "coordinator.after_admit",
        "coordinator.before_intake",
        "coordinator.after_intake",
        "coordinator.before_start_commit",
        "coordinator.before_request_ack",
        "coordinator.after_request_ack",
        "coordinator.before_written_commit",
        "coordinator.before_written_ack",
        "coordinator.after_written_ack",
        "coordinator.before_reissue",
        "writeback.before_apply",
        "writeback.before_backup",
        "writeback.after_backup",
        "writeback.before_replace",
        "writeback.after_replace",
        "writeback.before_outcome",
        "writeback.after_outcome",
    }
)
_STORIES: dict[str, Story] = {
    "coordinator.before_reissue": Story.LOST_COMMANDS,
    "shipper.before_look_up": Story.LOST_ANSWERS,
    "shipper.after_look_up": Story.LOST_ANSWERS,
}
# Transactions of the start-up come before those of a job.
_IN_TRANSACTION: FailPoint = "coordinator.in_transaction"
_JOBS_TRANSACTIONS = (6, 8, 10, 13)
_AROUND_THE_CALL: tuple[FailPoint, ...] = (
    "shipper.after_claim",
    "shipper.before_call",
    "shipper.before_send",
    "shipper.before_body",
    "shipper.after_call",
    "shipper.before_look_up",
    "shipper.after_look_up",
)
_AT_THE_END: tuple[FailPoint, ...] = (
    "shipper.after_claim",
    "shipper.before_outcome",
    "shipper.after_outcome",
    "shipper.before_ack",
    "coordinator.before_outcome_commit",
    "coordinator.after_outcome_commit",
    "coordinator.before_outcome_ack",
)
_AFTER_AN_APPROVAL: tuple[FailPoint, ...] = ("coordinator.before_ship_publish", "coordinator.after_ship_publish")
_MOMENTS = (0, 1, 3, 5)


def cases() -> list[Case]:
    """The whole matrix."""
    return [
        *_at_points(Fault.KILL, several=False),
        *_at_points(Fault.KILL, several=True),
        *_at_points(Fault.FREEZE, several=True),
        *_at_points(Fault.CUT, several=True),
        *(_at(Fault.CUT_CARRIER, point, several=True) for point in _AROUND_THE_CALL),
        *(Case(Fault.KILL, "coordinator", False, _IN_TRANSACTION, nth) for nth in _JOBS_TRANSACTIONS),
        *_refused(),
        *_approved(),
        *_servers(),
        *(
            Case(Fault.KILL_ALL, role, several, row=row)
            for role in ROLES
            for several in (False, True)
            for row in (1, 4)
        ),
        *(Case(Fault.ROLL_BACK, NATS, several, row=row, rows=8) for several in (False, True) for row in (0, 2, 4)),
        *_eventual(),
    ]


def _at(fault: Fault, point: FailPoint, *, several: bool, eventual: bool = False) -> Case:
    nth = 1 if several or point in _ONCE else 2
    if point == _IN_TRANSACTION:
        nth = _JOBS_TRANSACTIONS[0]
    story = _STORIES.get(point, Story.PLAIN)
    return Case(fault, point.partition(".")[0], several, point, nth, story=story, eventual=eventual)


def _at_points(fault: Fault, *, several: bool) -> list[Case]:
    return [_at(fault, point, several=several) for point in FAIL_POINTS]


def _refused() -> list[Case]:
    """The row that the carrier refuses is the fifth of six; a replica of several may meet it first or never."""
    alone = [
        Case(Fault.KILL, point.partition(".")[0], several=False, point=point, nth=5, story=Story.REFUSED)
        for point in _AT_THE_END
    ]
    among_others = [
        Case(fault, point.partition(".")[0], several=True, point=point, nth=2, story=Story.REFUSED)
        for fault in (Fault.FREEZE, Fault.CUT)
        for point in _AT_THE_END[1:5]
    ]
    return alone + among_others


def _approved() -> list[Case]:
    return [
        Case(Fault.KILL, "coordinator", several, point, story=Story.APPROVED)
        for several in (False, True)
        for point in _AFTER_AN_APPROVAL
    ]


def _servers() -> list[Case]:
    faults = {
        NATS: (Fault.KILL, Fault.FREEZE, Fault.CUT, Fault.LOSE_STORE),
        SANDBOX: (Fault.KILL, Fault.FREEZE, Fault.FREEZE_LONG, Fault.CUT),
    }
    return [
        Case(fault, server, several, row=row)
        for server, its_faults in faults.items()
        for fault in its_faults
        for several in (False, True)
        for row in _MOMENTS
    ]


def _eventual() -> list[Case]:
    """Where a look-up that finds nothing proves nothing, a row in doubt is the right end."""
    points = [_at(Fault.KILL, point, several=False, eventual=True) for point in _AROUND_THE_CALL]
    servers = [
        Case(fault, server, several=False, row=2, eventual=True)
        for fault, server in (
            (Fault.LOSE_STORE, NATS),
            (Fault.KILL, SANDBOX),
            (Fault.CUT, SANDBOX),
            (Fault.FREEZE_LONG, SANDBOX),
        )
    ]
    return points + servers
