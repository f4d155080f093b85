"""What a process tells about itself: logs, metrics and traces; never a secret and never a recipient's data.

Logs are loaded by whoever writes any: a command line that only speaks to a house need not pay for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.telemetry.logs import configure, logger

__all__ = ["configure", "logger"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shared.telemetry import logs

    return getattr(logs, name)
