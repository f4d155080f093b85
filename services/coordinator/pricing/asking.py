"""Asks the shippers about many things at once, within a time, and as long as it is worth while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from services.coordinator.pricing.price import is_refusal
from shared.cancelling import cancel
from shared.contracts.api import refused_version
from shared.errors import BUS_TIMEOUT, CARRIER_BLOCKED, CREDENTIALS_REFUSED, NO_CARRIER, ErrorBody, TallyError

ThingT = TypeVar("ThingT")
AnswerT = TypeVar("AnswerT")

# Each shipper takes its requests in turn: enough to keep several busy, few enough that none waits for long.
_THINGS_A_REQUEST = 5
_REQUESTS_AT_ONCE = 16
_TELL_EVERY = 0.5
_ANSWER_GRACE = 2.0
_LONGEST_ANSWER = 60.0
_NOBODY_FOR = 5.0
# So many failures, and not one answer, say that the carrier is away.
_GIVE_UP_AFTER = 40
_ABOUT_THE_ACCOUNT = frozenset({CARRIER_BLOCKED.code, CREDENTIALS_REFUSED.code, NO_CARRIER.code})


@dataclass(frozen=True)
class Question(Generic[ThingT, AnswerT]):
    """What is asked on `subject`: things and seconds to a request, a reply to an answer for each thing.

    `tells` says whether an answer holds what was asked for, `error_of` why it does not; one that has neither came too
    late. `failed` is the answer where nobody answered at all.
    """

    subject: str
    request: Callable[[tuple[ThingT, ...], float], bytes]
    answers: Callable[[bytes], Sequence[AnswerT]]
    tells: Callable[[AnswerT], bool]
    error_of: Callable[[AnswerT], ErrorBody | None]
    failed: Callable[[ErrorBody], AnswerT]


@dataclass
class _Outlook:
    """Whether it is worth while to ask on."""

    told: bool = False
    failures: int = 0
    last_failure: ErrorBody | None = None
    account: ErrorBody | None = None

    def note(self, error: ErrorBody | None, *, tells: bool) -> None:
        """Learn from an answer."""
        self.told = self.told or tells
        if error is None:
            return
        if error.code in _ABOUT_THE_ACCOUNT:
            self.account = error
        elif not is_refusal(error):
            self.failures += 1
            self.last_failure = error

    @property
    def verdict(self) -> ErrorBody | None:
        """Why it is not; None where it is."""
        is_away = self.failures >= _GIVE_UP_AFTER and not self.told
        return self.account or (self.last_failure if is_away else None)


async def ask_all(
    client: Client,
    question: Question[ThingT, AnswerT],
    things: Mapping[str, ThingT],
    heard: Callable[[Mapping[str, AnswerT]], Awaitable[None]],
    budget: float,
) -> ErrorBody | None:
    """Ask about each thing, in order, for `budget` seconds; returns why that was given up, where it was.

    `heard` is told of the answers by the things' keys, at least once a second, even if there are none; what is not
    answered within the budget is not among them.
    """
    ends = time.monotonic() + budget
    batches = _batches(things)
    outlook = _Outlook()
    asking: set[asyncio.Task[dict[str, AnswerT]]] = set()
    news: dict[str, AnswerT] = {}
    told = time.monotonic()
    try:
        while True:
            left = ends - time.monotonic()
            while len(asking) < _REQUESTS_AT_ONCE and left > 0 and outlook.verdict is None:
                batch = next(batches, None)
                if batch is None:
                    break
                asking.add(asyncio.create_task(_ask(client, question, batch, min(left, _LONGEST_ANSWER))))
            if not asking:
                break
            done, asking = await asyncio.wait(asking, timeout=_TELL_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                news |= task.result()
                for answer in task.result().values():
                    outlook.note(question.error_of(answer), tells=question.tells(answer))
            if time.monotonic() - told >= _TELL_EVERY:
                await heard(news)
                news, told = {}, time.monotonic()
    finally:
        await cancel(asking)
    await heard(news)
    return outlook.verdict


async def _ask(
    client: Client, question: Question[ThingT, AnswerT], batch: Sequence[tuple[str, ThingT]], within: float
) -> dict[str, AnswerT]:
    """The answers to a batch that there are in time, by key."""
    request = question.request(tuple(thing for _, thing in batch), within)
    try:
        # A shipper that starts again is waited for; what was heard and not answered is not asked for again.
        async for attempt in stamina.retry_context(
            on=NoRespondersError, attempts=None, timeout=min(within, _NOBODY_FOR), wait_initial=0.1, wait_max=1.0
        ):
            with attempt:
                reply = await client.request(question.subject, request, timeout=within + _ANSWER_GRACE)
    except (NatsError, TimeoutError):
        error = TallyError(BUS_TIMEOUT, service="shipper", subject=question.subject, seconds=f"{within:.0f}").body
        return {key: question.failed(error) for key, _ in batch}
    if (refused := refused_version(reply.data)) is not None:
        return {key: question.failed(refused) for key, _ in batch}
    told = zip((key for key, _ in batch), question.answers(reply.data), strict=True)
    return {key: answer for key, answer in told if question.tells(answer) or question.error_of(answer) is not None}


def _batches(things: Mapping[str, ThingT]) -> Iterator[Sequence[tuple[str, ThingT]]]:
    items = iter(things.items())
    while batch := list(islice(items, _THINGS_A_REQUEST)):
        yield batch
