"""Answers rate quotes: every shipment of a request at once, each with its price or the reason why not."""

from __future__ import annotations

import asyncio

from services.shipper.carriers.carrier import Carrier, NothingCreatedError
from shared.contracts.rates import Quote, QuoteReply, QuoteRequest
from shared.errors import TallyError
from shared.shipping import Shipment


class Quotes:
    """Rates shipments with one carrier account."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def answer(self, body: bytes) -> bytes:
        """From a QuoteRequest's body to a QuoteReply's."""
        request = QuoteRequest.model_validate_json(body)
        quotes = await asyncio.gather(*(self._quote(shipment, request.within) for shipment in request.shipments))
        return QuoteReply(quotes=tuple(quotes)).encode()

    async def _quote(self, shipment: Shipment, within: float | None) -> Quote:
        try:
            async with asyncio.timeout(within):
                return Quote(cost=await self._carrier.rate(shipment))
        except TimeoutError:
            return Quote()
        except NothingCreatedError as refusal:
            return Quote(error=refusal.error)
        except TallyError as error:
            return Quote(error=error.body)
