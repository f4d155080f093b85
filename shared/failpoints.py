"""Named fail points: where a test may end or freeze a process; a no-op without `TALLY_FAILPOINTS`.

``TALLY_FAILPOINTS=shipper.after_call=kill@17`` kills the shipper with SIGKILL when it passes that point for the 17th
time; several are separated by commas. Actions: `kill`, `stop` (SIGSTOP), `raise`.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class FailpointError(RuntimeError):
    """Raised at a fail point whose action is `raise`."""


def parse(text: str) -> dict[str, tuple[str, int]]:
    """``name=action[@nth],…`` as name → (action, nth); raises ValueError for an unknown action."""
    points = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = item.partition("=")
        action, _, nth = rest.partition("@")
        if action not in {*_ACTIONS, "raise"}:
            raise ValueError(f"fail point {name}: unknown action {action!r}")
        points[name] = (action, int(nth or 1))
    return points


_points = parse(os.environ.get("TALLY_FAILPOINTS", ""))
_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Pass the point `name`; what the setting says for it happens at its nth passing."""
    if not _points or name not in _points:
        return
    action, nth = _points[name]
    _passed[name] += 1
    if _passed[name] != nth:
        return
    if action == "raise":
        raise FailpointError(name)
    os.kill(os.getpid(), _ACTIONS[action])
