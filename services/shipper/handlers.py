"""Turns the shipper's messages into calls."""

from __future__ import annotations

from nats.aio.msg import Msg
from pydantic import ValidationError

from services.shipper.shipping import Shipping
from shared.bus.heartbeat import heartbeat
from shared.bus.service import acknowledge, deliveries, reject
from shared.contracts.commands import ShipCommand
from shared.failpoints import failpoint


class Handlers:
    """The shipper's subscribers."""

    def __init__(self, shipping: Shipping) -> None:
        self._shipping = shipping

    async def ship(self, message: Msg) -> None:
        """A ship command: acknowledged once its outcome is in the ledger."""
        try:
            command = ShipCommand.model_validate_json(message.data)
        except ValidationError:
            await reject(message)
            return
        async with heartbeat(message):
            await self._shipping.ship(command, first_delivery=deliveries(message) == 1)
        failpoint("shipper.before_ack")
        await acknowledge(message)
        failpoint("shipper.after_ack")
