"""Named fail points: where a test may end or freeze a process; a no-op without `TALLY_FAILPOINTS`.

``TALLY_FAILPOINTS=shipper.after_call=kill@17`` kills the shipper with SIGKILL when it passes that point for the 17th
time; several are separated by commas. Actions: `kill`, `stop` (SIGSTOP), `raise`.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import cache
from typing import Literal, get_args

from shared.errors import SETTINGS_INVALID, TallyError

_ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_SETTING = "TALLY_FAILPOINTS"

# Every step of a row's way (DESIGN §4), by the process that takes it. What follows a commit at once has no point of its
# own: a start's commit is followed by the ship command's publish, a reissue's too.
FailPoint = Literal[
    "coordinator.before_admit",
    "coordinator.after_admit",
    "coordinator.before_intake",
    "coordinator.after_intake",
    "coordinator.before_start_commit",
    "coordinator.before_request_ack",
    "coordinator.after_request_ack",
    "coordinator.before_outcome_commit",
    "coordinator.in_transaction",
    "coordinator.after_outcome_commit",
    "coordinator.before_ship_publish",
    "coordinator.after_ship_publish",
    "coordinator.before_writeback_publish",
    "coordinator.after_writeback_publish",
    "coordinator.before_outcome_ack",
    "coordinator.after_outcome_ack",
    "coordinator.before_written_commit",
    "coordinator.before_written_ack",
    "coordinator.after_written_ack",
    "coordinator.before_reissue",
    "shipper.before_claim",
    "shipper.after_claim",
    "shipper.before_call",
    "shipper.before_send",
    "shipper.before_body",
    "shipper.after_call",
    "shipper.before_look_up",
    "shipper.after_look_up",
    "shipper.before_label",
    "shipper.after_label",
    "shipper.before_outcome",
    "shipper.after_outcome",
    "shipper.before_ack",
    "shipper.after_ack",
    "writeback.before_apply",
    "writeback.before_backup",
    "writeback.after_backup",
    "writeback.before_replace",
    "writeback.after_replace",
    "writeback.before_outcome",
    "writeback.after_outcome",
    "writeback.before_ack",
    "writeback.after_ack",
]
FAIL_POINTS: tuple[FailPoint, ...] = get_args(FailPoint)


class FailpointError(RuntimeError):
    """Raised at a fail point whose action is `raise`."""


def parse(text: str) -> dict[str, tuple[str, int]]:
    """``name=action[@nth],…`` as name → (action, nth); raises TallyError E-5002 for what is not known."""
    points: dict[str, tuple[str, int]] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = item.partition("=")
        action, _, nth = rest.partition("@")
        if name not in FAIL_POINTS:
            raise TallyError(SETTINGS_INVALID, setting=_SETTING, reason=f"there is no fail point {name!r}")
        if action not in {*_ACTIONS, "raise"}:
            raise TallyError(SETTINGS_INVALID, setting=_SETTING, reason=f"{name}: unknown action {action!r}")
        if nth and (not nth.isdecimal() or int(nth) < 1):
            raise TallyError(SETTINGS_INVALID, setting=_SETTING, reason=f"{name}: no passing number {nth!r}")
        points[name] = (action, int(nth or 1))
    return points


_passed: Counter[str] = Counter()


@cache
def armed() -> dict[str, tuple[str, int]]:
    """The fail points that are set, read once; raises TallyError E-5002."""
    return parse(os.environ.get(_SETTING, ""))


def failpoint(name: FailPoint) -> None:
    """Pass the point `name`; what the setting says for it happens at its nth passing."""
    points = armed()
    if name not in points:
        return
    action, nth = points[name]
    _passed[name] += 1
    if _passed[name] != nth:
        return
    if action == "raise":
        raise FailpointError(name)
    os.kill(os.getpid(), _ACTIONS[action])
