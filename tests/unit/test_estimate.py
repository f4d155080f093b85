"""Quotes for a batch: a page at a time, so that an intake never looks as if nobody worked on it."""

from __future__ import annotations

import asyncio
from typing import Any

from services.coordinator.estimate import PAGE, Estimator
from tests.contract.messages import SHIPMENT


class CarrierThatStandsStill:
    """Takes requests and answers none."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._asked = 0
        self.asked = asyncio.Event()

    async def request(self, _subject: str, _body: bytes, **_options: float) -> Any:
        self._asked += 1
        if self._asked == self._expected:
            self.asked.set()
        await asyncio.Event().wait()


async def test_a_page_takes_one_round_of_requests_however_slow_the_carrier_is() -> None:
    address = SHIPMENT.recipient.address
    shipments = [
        SHIPMENT.model_copy(
            update={
                "recipient": SHIPMENT.recipient.model_copy(
                    update={"address": address.model_copy(update={"postal_code": f"{number:05d}"})}
                )
            }
        )
        for number in range(PAGE)
    ]
    carrier = CarrierThatStandsStill(expected=PAGE // 10)
    quoting = asyncio.create_task(Estimator(carrier).quotes(shipments))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await carrier.asked.wait()
    quoting.cancel()
