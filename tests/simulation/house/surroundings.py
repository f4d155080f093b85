"""What else must follow the seed and the virtual time while a simulation runs: jitter, retries' clocks, logs."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import structlog
import tenacity
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from stamina import instrumentation

from shared.bus.ledger import LedgerRolledBackError
from shared.bus.publishing import SubjectOccupiedError, WrongLastSequenceError
from shared.errors import TallyError
from tests.simulation.house.loop import SimulatedLoop

_EXPECTED = (
    TallyError,
    NatsError,
    APIError,
    TimeoutError,
    WrongLastSequenceError,
    SubjectOccupiedError,
    LedgerRolledBackError,
)


@contextmanager
def governed(loop: SimulatedLoop, seed: int) -> Iterator[None]:
    """Let the seed decide jitter, the loop tell retries the time, and an error that nobody expects end the run."""
    was_random, was_logging = random.getstate(), structlog.get_config()
    random.seed(seed)
    instrumentation.set_on_retry_hooks([])

    def listen(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        error = sys.exc_info()[1] if event.get("exc_info") else None
        if error is not None and not is_expected(error):
            loop.fail(error)
        raise structlog.DropEvent

    structlog.configure(processors=[listen], cache_logger_on_first_use=False)
    try:
        with patch.object(tenacity, "time", SimpleNamespace(monotonic=loop.time)):
            yield
    finally:
        random.setstate(was_random)
        instrumentation.set_on_retry_hooks(None)
        structlog.configure(**was_logging)


def is_expected(error: BaseException) -> bool:
    """Whether an error is one that a bus or a carrier in trouble causes."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_expected(part) for part in error.exceptions)
    return isinstance(error, _EXPECTED)
