"""Shipments to rate, and a bus whose shippers answer as told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from nats.errors import NoRespondersError

from shared.contracts.rates import Quote, QuoteReply, QuoteRequest
from shared.shipping import Shipment
from tests.contract.messages import SHIPMENT

Answer = Callable[[Shipment], Quote]


def to_zip(postal_code: str, **changes: Any) -> Shipment:
    """A shipment to that postal code."""
    recipient = SHIPMENT.recipient
    address = recipient.address.model_copy(update={"postal_code": postal_code})
    return SHIPMENT.model_copy(update={"recipient": recipient.model_copy(update={"address": address}), **changes})


def shipments(count: int) -> dict[str, Shipment]:
    """So many shipments that differ, by their postal codes."""
    return {f"{number:05d}": to_zip(f"{number:05d}") for number in range(count)}


class Shippers:
    """Answer rate requests on a bus of their own, at once unless `held`; nobody is there the first `absent` times."""

    def __init__(self, answer: Answer, *, absent: int = 0) -> None:
        self.answer = answer
        self.absent = absent
        self.asked: list[Shipment] = []
        self.at_once = 0
        self.most_at_once = 0
        self.held: Callable[[int], Awaitable[None]] | None = None

    async def request(self, _subject: str, body: bytes, timeout: float) -> Any:  # noqa: ASYNC109 - nats-py's signature
        if self.absent:
            self.absent -= 1
            raise NoRespondersError
        request = QuoteRequest.model_validate_json(body)
        assert request.within is not None
        assert request.within < timeout
        self.asked += request.shipments
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.held is not None:
                await self.held(len(self.asked))
        finally:
            self.at_once -= 1
        return SimpleNamespace(data=QuoteReply(quotes=tuple(map(self.answer, request.shipments))).encode())


async def nothing(_: object) -> None:
    """What to do with quotes that nobody waits for."""


async def forever(_: int) -> None:
    """Hold an answer back for good."""
    await asyncio.Event().wait()
