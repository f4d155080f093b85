"""Repeating what may be repeated: bounded tries, exponential back-off with jitter."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import structlog

AnswerT = TypeVar("AnswerT")
Sleep = Callable[[float], Awaitable[None]]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Again:
    """A try that may be repeated: `error` is raised where no further one is made; `wait` (seconds) was asked for."""

    error: Exception
    cause: Exception | None = None
    wait: float = 0.0


@dataclass(frozen=True)
class Backoff:
    """How often to try, and how long to wait in between, in seconds."""

    tries: int = 5
    first: float = 0.25
    ceiling: float = 4.0
    chance: Callable[[], float] = field(default=random.random)

    def wait(self, failures: int) -> float:
        """The wait after so many failures: doubled each time, its second half by chance."""
        whole = min(self.ceiling, self.first * 2.0 ** (failures - 1))
        return whole * (0.5 + self.chance() / 2)


async def persist(
    attempt: Callable[[], Awaitable[AnswerT | Again]],
    *,
    operation: str,
    seconds: float,
    backoff: Backoff,
    sleep: Sleep = asyncio.sleep,
) -> AnswerT:
    """The first answer of `attempt` that is not Again; raises Again's error after the last try.

    A try starts at most `seconds` after the first did.
    """
    ends = time.monotonic() + seconds
    failures = 0
    while True:
        answer = await attempt()
        if not isinstance(answer, Again):
            return answer
        failures += 1
        wait = answer.wait + backoff.wait(failures)
        if failures >= backoff.tries or time.monotonic() + wait >= ends:
            raise answer.error from answer.cause
        _log.warning("carrier call repeated", operation=operation, failures=failures, wait=round(wait, 3))
        await sleep(wait)


def asked_wait(retry_after: str, now: datetime) -> float:
    """The seconds a `Retry-After` header asks for, as a whole number or an HTTP date; 0 where it is unreadable."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - now).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
