"""Asks the shippers what shipments cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from nats.aio.client import Client

from services.coordinator.pricing.asking import Question, ask_all
from shared.contracts import subjects
from shared.contracts.rates import Quote, QuoteReply, QuoteRequest
from shared.errors import ErrorBody
from shared.shipping import Shipment

Heard = Callable[[Mapping[str, Quote]], Awaitable[None]]


class Estimator:
    """Has shipments rated by all shippers there are, within `budget` seconds."""

    def __init__(self, client: Client, budget: float) -> None:
        self._client = client
        self.budget = budget

    async def rate(
        self,
        shipments: Mapping[str, Shipment],
        heard: Heard,
        *,
        every_service: bool = False,
        budget: float | None = None,
    ) -> ErrorBody | None:
        """Ask for a quote for each shipment, in order; returns why that was given up, where it was.

        By its own service, or by every one. `heard` is told of the quotes by the shipments' keys, at least once a
        second, even if there are none; what is not rated within the budget, its own or `budget`, is not among them.
        """
        question = _BY_EVERY_SERVICE if every_service else _BY_ITS_SERVICE
        return await ask_all(self._client, question, shipments, heard, self.budget if budget is None else budget)


def _asking(*, every_service: bool) -> Question[Shipment, Quote]:
    def request(shipments: tuple[Shipment, ...], within: float) -> bytes:
        return QuoteRequest(shipments=shipments, within=within, every_service=every_service).encode()

    return Question(
        subject=subjects.RATES_QUOTE,
        request=request,
        answers=lambda body: QuoteReply.model_validate_json(body).quotes,
        tells=lambda quote: quote.is_priced,
        error_of=lambda quote: quote.error,
        failed=lambda error: Quote(error=error),
    )


_BY_ITS_SERVICE = _asking(every_service=False)
_BY_EVERY_SERVICE = _asking(every_service=True)
