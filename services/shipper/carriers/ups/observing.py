"""Counts and times the exchanges with UPS."""

from __future__ import annotations

import time
from collections.abc import Awaitable

from services.shipper.carriers.carrier import DeadlinePassedError
from services.shipper.carriers.ups.requests import Call
from services.shipper.carriers.ups.transport import NotSentError, Reply
from services.shipper.metrics import CALL_SECONDS, CALLS

_REFUSED, _LIMITED, _ERROR = 400, 429, 500


async def observed(call: Call, exchange: Awaitable[Reply]) -> Reply:
    """Carry an exchange out, and note what came of it."""
    label = call.operation.lower().replace(" ", "_")
    outcome = "lost"
    started = time.perf_counter()
    try:
        answer = await exchange
        outcome = outcome_of(answer.status)
        return answer
    except (NotSentError, DeadlinePassedError):
        outcome = "not_sent"
        raise
    finally:
        CALLS.labels(label, outcome).inc()
        CALL_SECONDS.labels(label).observe(time.perf_counter() - started)


def outcome_of(status: int) -> str:
    """The class of an HTTP status: ok, limited, refused or error."""
    if status == _LIMITED:
        return "limited"
    if status >= _ERROR:
        return "error"
    return "refused" if status >= _REFUSED else "ok"
