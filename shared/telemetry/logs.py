"""Logs: one JSON line per event, never a secret and never a recipient's data.

A line names the service and, where a message is in hand, its job, row, attempt and trace.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.telemetry import tracing, work

LogFormat = Literal["json", "console"]


def configure(service: str, level: str, log_format: LogFormat) -> None:
    """Set up logging for a process; `service` names it in every line, those of libraries included."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _name_the_work,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Processor] = [structlog.processors.format_exc_info, _renderer(log_format)]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_name_the_library, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; `name` says which part of the process speaks."""
    return structlog.stdlib.get_logger(part=name)


def _renderer(log_format: LogFormat) -> Processor:
    return structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()


def _name_the_work(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    in_hand = work.in_hand()
    if in_hand is not None:
        for name, value in in_hand.named.items():
            event.setdefault(name, value)
    # What is said of a message after its span ended, that its handler failed say, is of its trace all the same.
    trace_id = tracing.trace_id() or (in_hand and in_hand.trace_id)
    if trace_id is not None:
        event["trace_id"] = trace_id
    return event


def _name_the_library(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["part"] = event["_record"].name
    return event
