"""Asks the shippers what shipments cost: many at once, within a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from services.coordinator.price import is_refusal
from shared.cancelling import cancel
from shared.contracts import subjects
from shared.contracts.rates import Quote, QuoteReply, QuoteRequest
from shared.errors import (
    BUS_TIMEOUT,
    CARRIER_BLOCKED,
    CREDENTIALS_REFUSED,
    NO_CARRIER,
    ErrorBody,
    TallyError,
)
from shared.shipping import Shipment

Heard = Callable[[Mapping[str, Quote]], Awaitable[None]]

# Each shipper takes its requests in turn: enough to keep several busy, few enough that none waits for long.
_SHIPMENTS_A_REQUEST = 5
_REQUESTS_AT_ONCE = 16
_TELL_EVERY = 0.5
_ANSWER_GRACE = 2.0
_NOBODY_FOR = 5.0
# So many failures, and not one price, say that the carrier is away.
_GIVE_UP_AFTER = 40
_ABOUT_THE_ACCOUNT = frozenset({CARRIER_BLOCKED.code, CREDENTIALS_REFUSED.code, NO_CARRIER.code})


@dataclass
class _Outlook:
    """Whether it is worth while to ask on."""

    rated: bool = False
    failures: int = 0
    last_failure: ErrorBody | None = None
    account: ErrorBody | None = None

    def note(self, quote: Quote) -> None:
        """Learn from a quote."""
        self.rated = self.rated or quote.cost is not None
        if quote.error is None:
            return
        if quote.error.code in _ABOUT_THE_ACCOUNT:
            self.account = quote.error
        elif not is_refusal(quote.error):
            self.failures += 1
            self.last_failure = quote.error

    @property
    def verdict(self) -> ErrorBody | None:
        """Why it is not; None where it is."""
        is_away = self.failures >= _GIVE_UP_AFTER and not self.rated
        return self.account or (self.last_failure if is_away else None)


class Estimator:
    """Has shipments rated by whichever shippers there are, for `budget` seconds at most."""

    def __init__(self, client: Client, budget: float) -> None:
        self._client = client
        self.budget = budget

    async def rate(self, shipments: Mapping[str, Shipment], heard: Heard) -> ErrorBody | None:
        """Ask for a quote for each shipment, in order; returns why that was given up, where it was.

        `heard` is told of the quotes by the shipments' keys, at least once a second, even if there are none; what is
        not rated within the budget is not among them.
        """
        ends = time.monotonic() + self.budget
        batches = _batches(shipments)
        outlook = _Outlook()
        asking: set[asyncio.Task[dict[str, Quote]]] = set()
        news: dict[str, Quote] = {}
        told = time.monotonic()
        try:
            while True:
                left = ends - time.monotonic()
                while len(asking) < _REQUESTS_AT_ONCE and left > 0 and outlook.verdict is None:
                    batch = next(batches, None)
                    if batch is None:
                        break
                    asking.add(asyncio.create_task(self._ask(batch, left)))
                if not asking:
                    break
                done, asking = await asyncio.wait(asking, timeout=_TELL_EVERY, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    news |= task.result()
                    for quote in task.result().values():
                        outlook.note(quote)
                if time.monotonic() - told >= _TELL_EVERY:
                    await heard(news)
                    news, told = {}, time.monotonic()
        finally:
            await cancel(asking)
        await heard(news)
        return outlook.verdict

    async def _ask(self, batch: Sequence[tuple[str, Shipment]], within: float) -> dict[str, Quote]:
        """The quotes of a batch that there are in time, by key."""
        request = QuoteRequest(shipments=tuple(shipment for _, shipment in batch), within=within)
        try:
            # A shipper that starts again is waited for; what was heard and not answered is not asked for again.
            async for attempt in stamina.retry_context(
                on=NoRespondersError, attempts=None, timeout=min(within, _NOBODY_FOR), wait_initial=0.1, wait_max=1.0
            ):
                with attempt:
                    answer = await self._client.request(
                        subjects.RATES_QUOTE, request.encode(), timeout=within + _ANSWER_GRACE
                    )
        except (NatsError, TimeoutError):
            error = TallyError(BUS_TIMEOUT, service="shipper", subject=subjects.RATES_QUOTE, seconds=f"{within:.0f}")
            return {key: Quote(error=error.body) for key, _ in batch}
        quotes = QuoteReply.model_validate_json(answer.data).quotes
        told = zip((key for key, _ in batch), quotes, strict=True)
        return {key: quote for key, quote in told if quote.cost is not None or quote.error is not None}


def _batches(shipments: Mapping[str, Shipment]) -> Iterator[Sequence[tuple[str, Shipment]]]:
    items = iter(shipments.items())
    while batch := list(islice(items, _SHIPMENTS_A_REQUEST)):
        yield batch
