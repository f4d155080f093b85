"""Listens in on the bus for what mends a job: redeliveries that were acknowledged, slots that were freed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.contracts import subjects

_ACK = re.compile(r"\$JS\.ACK\.(?:[^.]+\.[^.]+\.)?[A-Z]+\.[\w-]+\.(?P<delivered>\d+)\.")


@dataclass
class Eavesdropper:
    """When a message was acknowledged that had been delivered more than once, and when a command's slot was freed."""

    redeliveries: list[datetime] = field(default_factory=list)
    freed_slots: list[datetime] = field(default_factory=list)

    async def listen(self, client: Client) -> None:
        """Begin."""
        await client.subscribe("$JS.ACK.>", cb=self._note_acknowledgement)
        await client.subscribe(f"$JS.API.STREAM.MSG.DELETE.{subjects.COMMANDS}", cb=self._note_freed_slot)

    async def _note_acknowledgement(self, message: Msg) -> None:
        told = _ACK.match(message.subject)
        if told and int(told["delivered"]) > 1 and message.data in {b"", b"+ACK"}:
            self.redeliveries.append(datetime.now(UTC))

    async def _note_freed_slot(self, _message: Msg) -> None:
        self.freed_slots.append(datetime.now(UTC))
