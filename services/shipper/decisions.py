"""The ledger table: what a shipper does with a command, as one pure function (DESIGN §4).

Its inputs are the row's last ledger entry, the command's attempt and whether it asks for recovery, and the epochs.
"""

from __future__ import annotations

from enum import Enum, auto

from shared.contracts.ledger import LastKind


class Decision(Enum):
    """What to do with a ship command."""

    SHIP = auto()  # nobody called for this row: claim and call
    RECONCILE = auto()  # somebody may have called: claim, look up by reference, then decide
    DROP = auto()  # settled, or not ours to work on: acknowledge and call nothing


def decide(
    last: LastKind,
    last_attempt: int,
    command_attempt: int,
    *,
    recover: bool,
    same_epoch: bool,
    foreign: bool = False,
) -> Decision:
    """The decision; `last_attempt` is 0 where `last` is none, `foreign` says that its epoch is not the command's.

    `shipped` is absorbing for every attempt. A command older than the ledger is dropped. An open claim, of whatever
    attempt, a row parked in doubt and an entry of another epoch are reconciled first. No claim in an intact ledger
    proves that nobody called.
    """
    if not same_epoch or last == "shipped" or last_attempt > command_attempt:
        return Decision.DROP
    if last == "none":
        return Decision.RECONCILE if recover else Decision.SHIP
    if last == "claimed" or foreign:
        return Decision.RECONCILE
    if last_attempt == command_attempt:
        return Decision.DROP
    if last == "in_doubt" or recover:
        return Decision.RECONCILE
    return Decision.SHIP
