"""What a process tells about itself: logs, metrics and traces; never a secret and never a recipient's data."""

from shared.telemetry.logs import configure, logger

__all__ = ["configure", "logger"]
