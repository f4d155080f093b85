"""A carrier account in the small: it sells, refuses, answers late or never; what it sold it tells at once or later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from services.shipper.carriers.carrier import (
    Consistency,
    DateWindow,
    Finding,
    Label,
    NothingCreatedError,
    Purchase,
    Rate,
    SendDeadline,
    UnknownOutcomeError,
)
from services.shipper.carriers.places import Turn
from shared.clock import Clock
from shared.contracts.addresses import AddressFinding
from shared.errors import CARRIER_REJECTED, CARRIER_UNAVAILABLE, TallyError
from shared.settings import CarrierSettings
from shared.shipping import Address, Money, Shipment
from tests.simulation.house.network import Network

PRICE = Money(amount=Decimal("9.10"))


@dataclass(frozen=True)
class Sale:
    """A label sold."""

    reference: str
    number: str
    visible_from: datetime


class CarrierBooks:
    """What the carrier knows, whoever asks; `on_send` and `on_sale` hear the reference of whatever goes and is sold."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        settings: CarrierSettings,
        on_send: Callable[[str], None],
        on_sale: Callable[[str], None],
    ) -> None:
        self.sales: list[Sale] = []
        self.network = network
        self.clock = clock
        self.settings = settings
        self.on_send = on_send
        self.on_sale = on_sale
        self.travelling = 0
        self._numbers = count(1)

    @property
    def consistency(self) -> Consistency:
        """What the carrier promises of look-ups."""
        return self.settings.consistency

    def sell(self, reference: str) -> Sale:
        """Commit a purchase."""
        lag = 0.0
        if self.consistency == "eventual" and self.network.happens(0.7):
            lag = self.network.chance.uniform(0, self.settings.settle_time)
        number = f"1Z{next(self._numbers):016d}"
        sale = Sale(reference, number, self.clock() + timedelta(seconds=lag))
        self.sales.append(sale)
        self.on_sale(reference)
        return sale

    def numbers_of(self, reference: str) -> list[str]:
        """The numbers sold under a reference, seen or not."""
        return [sale.number for sale in self.sales if sale.reference == reference]


class SimulatedCarrier:
    """One shipper's connection to the carrier; implements `services.shipper.carriers.carrier.Carrier`."""

    def __init__(self, books: CarrierBooks) -> None:
        self._books = books
        self._network = books.network

    async def prepare(self) -> Turn:
        """Fetch what a call needs, which may take a while or fail."""
        await self._moment()
        if self._network.happens(0.01):
            raise NothingCreatedError(TallyError(CARRIER_UNAVAILABLE, operation="the token", reason="busy").body)
        return Turn()

    async def buy(
        self, shipment: Shipment, reference: str, deadline: SendDeadline, turn: Turn | None = None
    ) -> Purchase:
        """Buy; the request may be committed by the carrier long after nobody waits for it any more."""
        del shipment, turn
        await self._moment()
        deadline.check()
        answer: asyncio.Future[Purchase] = asyncio.get_running_loop().create_future()
        self._send(reference, answer)
        try:
            async with asyncio.timeout(self._books.settings.call_timeout):
                return await answer
        except TimeoutError as error:
            raise UnknownOutcomeError("no answer in time") from error

    def _send(self, reference: str, answer: asyncio.Future[Purchase]) -> None:
        books, network = self._books, self._network
        books.on_send(reference)
        if network.happens(0.03):
            return
        takes = network.delay()
        if network.happens(0.15):
            takes = network.chance.uniform(0, books.settings.call_timeout + books.settings.tcp_user_timeout)
        elif network.happens(0.5):
            takes = network.chance.uniform(0, 1.5)
        books.travelling += 1

        def commit() -> None:
            books.travelling -= 1
            if network.happens(0.06):
                error = NothingCreatedError(TallyError(CARRIER_REJECTED, carrier_code="1", carrier_message="no").body)
                network.later(network.delay(), lambda: None if answer.done() else answer.set_exception(error))
                return
            sale = books.sell(reference)
            if not network.happens(0.12):
                purchase = Purchase(sale.number, (sale.number,), PRICE)
                network.later(network.delay(), lambda: None if answer.done() else answer.set_result(purchase))

        network.later(takes, commit)

    async def find(self, reference: str, window: DateWindow) -> Finding:
        """What is visible under a reference."""
        del window
        await self._moment()
        if self._network.happens(0.1):
            raise TallyError(CARRIER_UNAVAILABLE, operation="the look-up", reason="busy")
        now = self._books.clock()
        seen = [sale for sale in self._books.sales if sale.reference == reference and sale.visible_from <= now]
        purchases = tuple(Purchase(sale.number, (sale.number,), None) for sale in seen)
        return Finding(purchases, f"shipments with reference {reference}", f"{len(seen)} found")

    async def label(self, tracking_number: str) -> Label:
        """A label sold before."""
        await self._moment()
        if self._network.happens(0.1):
            raise TallyError(CARRIER_UNAVAILABLE, operation="the label", reason="busy")
        return Label(tracking_number, "gif", b"GIF")

    async def void(self, shipment_id: str) -> None:
        """Nobody voids here."""
        raise NotImplementedError(shipment_id)

    async def shop(self, shipment: Shipment) -> tuple[Rate, ...]:
        """Nobody compares services here."""
        raise NotImplementedError(shipment.order_number)

    async def check_address(self, address: Address) -> AddressFinding:
        """Nobody previews here."""
        raise NotImplementedError(address.city)

    async def rate(self, shipment: Shipment) -> Rate:
        """The one price."""
        await self._moment()
        if self._network.happens(0.1):
            raise TallyError(CARRIER_UNAVAILABLE, operation="the rate", reason="busy")
        return Rate(shipment.service, PRICE)

    async def close(self) -> None:
        """There is nothing to close."""

    async def _moment(self) -> None:
        await asyncio.sleep(self._network.delay())


class SimulatedLabels:
    """A label store that fails now and then; has what `services.shipper.labels.LabelStore` offers."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def put(self, job_id: str, row_number: int, label: Label) -> str:
        """Store a label; its key."""
        await asyncio.sleep(self._network.delay())
        if self._network.happens(0.05):
            raise OSError("the label store is away")
        return f"{job_id}/{row_number}-{label.tracking_number}.gif"
