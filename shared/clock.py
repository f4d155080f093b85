"""The clock, injected wherever a moment matters."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
SteadyClock = Callable[[], float]

# A clock that goes on while the machine sleeps: CLOCK_MONOTONIC does on macOS, on Linux only CLOCK_BOOTTIME does.
_STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def steady_now() -> float:
    """Seconds on a clock that nobody sets, from a moment of no meaning; it measures how long something takes."""
    return time.clock_gettime(_STEADY_CLOCK)
