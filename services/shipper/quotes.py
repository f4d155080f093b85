"""Answers rate quotes: every shipment of a request at once, each with its price or the reason why not."""

from __future__ import annotations

import asyncio

from services.shipper.carriers.carrier import Carrier, NothingCreatedError, Rate
from shared.contracts.rates import Offer, Quote, QuoteReply, QuoteRequest
from shared.errors import TallyError
from shared.shipping import Shipment


class Quotes:
    """Rates shipments with one carrier account; `own_rates` says whether it is to have any."""

    def __init__(self, carrier: Carrier, *, own_rates: bool = True) -> None:
        self._carrier = carrier
        self._own_rates = own_rates

    async def answer(self, body: bytes) -> bytes:
        """From a QuoteRequest's body to a QuoteReply's."""
        request = QuoteRequest.model_validate_json(body)
        quotes = await asyncio.gather(*(self._quote(shipment, request) for shipment in request.shipments))
        return QuoteReply(quotes=tuple(quotes)).encode()

    async def _quote(self, shipment: Shipment, request: QuoteRequest) -> Quote:
        try:
            async with asyncio.timeout(request.within):
                if request.every_service:
                    return Quote(offers=tuple(map(self._offer, await self._carrier.shop(shipment))))
                rate = await self._carrier.rate(shipment)
                return Quote(cost=rate.cost, negotiated=self._as_negotiated(rate), zone=rate.zone)
        except TimeoutError:
            return Quote()
        except NothingCreatedError as refusal:
            return Quote(error=refusal.error)
        except TallyError as error:
            return Quote(error=error.body)

    def _offer(self, rate: Rate) -> Offer:
        return Offer(
            service=rate.service,
            cost=rate.cost,
            negotiated=self._as_negotiated(rate),
            days=rate.days,
            arrival=rate.arrival,
            zone=rate.zone,
        )

    def _as_negotiated(self, rate: Rate) -> bool:
        return rate.negotiated or not self._own_rates
