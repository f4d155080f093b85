"""What a batch would cost: every shipment rated by the shipper, identical ones once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.contracts import subjects
from shared.contracts.rates import Quote, QuoteReply, QuoteRequest
from shared.errors import BUS_TIMEOUT, TallyError
from shared.shipping import Shipment

_SHIPMENTS_A_REQUEST = 10
_REQUESTS_AT_ONCE = 8
_REQUEST_TIMEOUT = 60.0
# As many as are asked for at once: quotes for a page come within one request's time-out, however slow the carrier is.
PAGE = _SHIPMENTS_A_REQUEST * _REQUESTS_AT_ONCE


def rate_key(shipment: Shipment) -> str:
    """Shipments with the same key cost the same."""
    to, origin = shipment.recipient.address, shipment.ship_from.address
    lane = [origin.postal_code, origin.country, to.postal_code, to.state, to.country, str(to.residential)]
    packages = [package.model_dump_json(exclude={"description"}) for package in shipment.packages]
    return "\0".join([shipment.service, *lane, *packages])


class Estimator:
    """Asks the shippers for quotes and remembers them for as long as one batch is looked at."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, Quote] = {}
        self._places = asyncio.Semaphore(_REQUESTS_AT_ONCE)

    async def quotes(self, shipments: Sequence[Shipment]) -> list[Quote]:
        """A quote for each shipment, in order; one without a cost says why."""
        keys = [rate_key(shipment) for shipment in shipments]
        unknown = {key: shipment for key, shipment in zip(keys, shipments, strict=True) if key not in self._known}
        items = list(unknown.items())
        async with asyncio.TaskGroup() as group:
            for start in range(0, len(items), _SHIPMENTS_A_REQUEST):
                group.create_task(self._ask(items[start : start + _SHIPMENTS_A_REQUEST]))
        return [self._known[key] for key in keys]

    async def _ask(self, items: Sequence[tuple[str, Shipment]]) -> None:
        request = QuoteRequest(shipments=tuple(shipment for _, shipment in items))
        async with self._places:
            try:
                answer = await self._client.request(subjects.RATES_QUOTE, request.encode(), timeout=_REQUEST_TIMEOUT)
            except (NatsError, TimeoutError):
                error = TallyError(
                    BUS_TIMEOUT, service="shipper", subject=subjects.RATES_QUOTE, seconds=_REQUEST_TIMEOUT
                )
                quotes: Sequence[Quote] = [Quote(error=error.body)] * len(items)
            else:
                quotes = QuoteReply.model_validate_json(answer.data).quotes
        self._known.update(zip((key for key, _ in items), quotes, strict=True))
