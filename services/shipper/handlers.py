"""Turns the shipper's messages into calls."""

from __future__ import annotations

from nats.aio.msg import Msg

from services.shipper.shipping import Shipping
from services.shipper.voiding import Voiding
from shared.bus.heartbeat import heartbeat
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher, fresh_id
from shared.bus.service import acknowledge, deliveries, readable
from shared.contracts import subjects
from shared.contracts.commands import ShipCommand, ShipCommandAbandoned, VoidCommand
from shared.failpoints import failpoint
from shared.telemetry import logger

log = logger("handlers")

_MAX_DELIVERIES = 5


class Handlers:
    """The shipper's subscribers."""

    def __init__(self, shipping: Shipping, voiding: Voiding, publisher: Publisher, parking: Parking) -> None:
        self._shipping = shipping
        self._voiding = voiding
        self._publisher = publisher
        self._parking = parking

    async def ship(self, message: Msg) -> None:
        """A ship command: acknowledged once its outcome is in the ledger."""
        command = await readable(message, ShipCommand.model_validate_json)
        if command is None:
            return
        async with heartbeat(message):
            if await self._parking.deliveries(message) > _MAX_DELIVERIES:
                await self._abandon(command)
            elif not await self._shipping.ship(command, first_delivery=deliveries(message) == 1):
                return
        failpoint("shipper.before_ack")
        await acknowledge(message)
        failpoint("shipper.after_ack")

    async def void(self, message: Msg) -> None:
        """A void command: acknowledged once its outcome is published."""
        command = await readable(message, VoidCommand.model_validate_json)
        if command is None:
            return
        async with heartbeat(message):
            await self._voiding.void(command, delivery=await self._parking.deliveries(message))
        await acknowledge(message)

    async def _abandon(self, command: ShipCommand) -> None:
        """Leave a command to the coordinator that ended every shipper which worked on it."""
        log.error("a command came to no outcome; given up", job=command.job_id, row=command.row_number)
        report = ShipCommandAbandoned(
            job_id=command.job_id,
            row_number=command.row_number,
            attempt=command.attempt,
            deliveries=_MAX_DELIVERIES,
        )
        await self._publisher.publish(
            subjects.OUTCOMES, subjects.abandoned(command.job_id), report, message_id=fresh_id()
        )
