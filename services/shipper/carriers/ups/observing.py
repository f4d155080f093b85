"""Counts and times the exchanges with UPS."""

from __future__ import annotations

import time
from collections.abc import Awaitable

import httpx

from services.shipper.carriers.carrier import DeadlinePassedError
from services.shipper.carriers.ups.requests import Call
from services.shipper.carriers.ups.transport import NotSentError, Reply
from services.shipper.metrics import CALL_SECONDS, CALLS
from shared.telemetry import tracing

_REFUSED, _LIMITED, _ERROR = 400, 429, 500


async def observed(call: Call, message: httpx.Request, exchange: Awaitable[Reply]) -> Reply:
    """Carry an exchange out, and note what came of it. Its trace is not told to UPS."""
    label = call.operation.lower().replace(" ", "_")
    outcome = "lost"
    started = time.perf_counter()
    try:
        with tracing.span(call.method, "client", _attributes(call, message)) as span:
            answer = await exchange
            span.set("http.response.status_code", answer.status)
            outcome = outcome_of(answer.status)
            if outcome != "ok":
                span.fail(str(answer.status))
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


def _attributes(call: Call, message: httpx.Request) -> dict[str, str | int]:
    """HTTP's own, without the path's end and the query, which name what a call is about."""
    path = call.target.partition("?")[0]
    template = path if call.method == "POST" else f"{path.rpartition('/')[0]}/{{id}}"
    url = message.url
    return {
        "http.request.method": call.method,
        "url.template": template,
        "server.address": url.host,
        "server.port": url.port or (443 if url.scheme == "https" else 80),
        "tally.carrier.operation": call.operation,
    }
