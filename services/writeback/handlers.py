"""Turns writeback's messages into calls."""

from __future__ import annotations

from nats.aio.msg import Msg
from pydantic import ValidationError

from services.writeback.flushing import Flusher
from shared.bus.heartbeat import heartbeat
from shared.bus.service import acknowledge, reject
from shared.contracts.commands import WritebackCommand
from shared.failpoints import failpoint


class Handlers:
    """Writeback's subscribers."""

    def __init__(self, flusher: Flusher) -> None:
        self._flusher = flusher

    async def write_back(self, message: Msg) -> None:
        """A write-back command: acknowledged once its outcome is published."""
        try:
            command = WritebackCommand.model_validate_json(message.data)
        except ValidationError:
            await reject(message)
            return
        async with heartbeat(message):
            await self._flusher.write(command)
        failpoint("writeback.before_ack")
        await acknowledge(message)
        failpoint("writeback.after_ack")
