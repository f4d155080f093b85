"""Logs: one JSON line per event, never a secret and never a recipient's data."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


def configure(service: str, level: str, log_format: Literal["json", "console"]) -> None:
    """Set up logging for a process; `service` names it in every line."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; `name` says which part of the process speaks."""
    return structlog.stdlib.get_logger(part=name)
