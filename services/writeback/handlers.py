"""Turns writeback's messages into calls."""

from __future__ import annotations

import asyncio

from nats.aio.msg import Msg
from pydantic import ValidationError

from services.writeback.flushing import Flusher
from services.writeback.restoring import Restorer
from shared.bus.heartbeat import heartbeat
from shared.bus.service import acknowledge, readable
from shared.contracts.api import Reply
from shared.contracts.commands import WritebackCommand
from shared.contracts.restoring import RestoreSource
from shared.errors import REQUEST_MALFORMED, TallyError
from shared.failpoints import failpoint


class Handlers:
    """Writeback's subscribers."""

    def __init__(self, flusher: Flusher, restorer: Restorer) -> None:
        self._flusher = flusher
        self._restorer = restorer

    async def write_back(self, message: Msg) -> None:
        """A write-back command: acknowledged once its outcome is published."""
        command = await readable(message, WritebackCommand.model_validate_json)
        if command is None:
            return
        async with heartbeat(message):
            await self._flusher.write(command)
        failpoint("writeback.before_ack")
        await acknowledge(message)
        failpoint("writeback.after_ack")

    async def restore(self, body: bytes) -> bytes:
        """An order to put a source back, or to tell what that replaces; a `Reply` with a `Restoration`."""
        try:
            order = RestoreSource.model_validate_json(body)
        except ValidationError as error:
            return Reply(error=TallyError(REQUEST_MALFORMED, reason=f"{error.error_count()} fields").body).encode()
        try:
            done = await asyncio.to_thread(self._restorer.restore, order)
        except TallyError as error:
            return Reply(error=error.body).encode()
        return Reply(result=done.model_dump(mode="json")).encode()
