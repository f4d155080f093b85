"""Watching a house: a job's events, who is there, how the bus and the carrier stand."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from shared.clock import utc_now
from shared.contracts import api, subjects
from shared.contracts.addresses import AddressFinding, AddressFindings, AddressQuestion
from shared.contracts.events import JobEvent
from shared.shipping import Address
from shared.version import VERSION
from shared.watching import JobEvents

if TYPE_CHECKING:
    from shared.bus.condition import BusCondition
from shared.client.connection import SILENCE, Connection

STATUS_WINDOW = 0.5
CHECKS_TAKE = 2.5


class Watching(Connection):
    """What is heard and looked at."""

    @asynccontextmanager
    async def events(self, job_id: str, *, from_first: bool = True, after: int = 0) -> AsyncIterator[JobEvents]:
        """A job's events, from the first, or behind number `after`, or only those to come."""
        events = JobEvents(self._connection, job_id, self._timeout)
        try:
            await (events.go_on(after) if after else events.subscribe(from_first=from_first))
        except (NatsError, TimeoutError) as error:
            raise self._unreachable() from error
        try:
            yield events
        finally:
            await events.close()

    async def watch(self, job_id: str, *, from_first: bool = True) -> AsyncGenerator[JobEvent]:
        """A job's events without end; close the iterator (contextlib.aclosing) to stop watching."""
        async with self.events(job_id, from_first=from_first) as events:
            while True:
                event = await events.next(SILENCE)
                if event is not None:
                    yield event

    async def last_event(self, job_id: str) -> JobEvent | None:
        """A job's latest event; None where there is none. Raises E-4001."""
        try:
            found = await self._connection.jetstream().get_last_msg(subjects.EVENTS, subjects.events_of(job_id))
        except NotFoundError:
            return None
        except (NatsError, TimeoutError) as error:
            raise self._unreachable() from error
        return JobEvent.model_validate_json(found.data or b"")

    async def services(self, window: float = STATUS_WINDOW, *, checks: bool = False) -> tuple[api.ServiceStatus, ...]:
        """Every process of every service that answers within `window` seconds, by name.

        With `checks` each looks first at what it needs for its work, which takes it up to CHECKS_TAKE seconds.
        """
        inbox = self._connection.new_inbox()
        replies: list[api.ServiceStatus] = []

        async def collect(message: Msg) -> None:
            if message.data:  # where nobody listens the server answers with a bare status header
                replies.append(api.ServiceStatus.model_validate_json(message.data))

        try:
            subscription = await self._connection.subscribe(inbox, cb=collect)
            await self._connection.publish(subjects.STATUS, api.AskStatus(checks=checks).encode(), reply=inbox)
            await asyncio.sleep(window)
            await self._end(subscription)
        except NatsError as error:
            raise self._unreachable() from error
        return tuple(sorted(replies, key=lambda status: (status.name, status.pid)))

    async def announce(self, name: str) -> None:
        """Answer whoever asks who is there, as a process of service `name`. Raises E-4001."""

        async def answer(message: Msg) -> None:
            status = api.ServiceStatus(
                name=name, pid=os.getpid(), state="running", host=socket.gethostname(), release=VERSION, at=utc_now()
            )
            await self._connection.publish(message.reply, status.encode())

        try:
            await self._connection.subscribe(subjects.STATUS, cb=answer)
        except NatsError as error:
            raise self._unreachable() from error

    async def bus_condition(self) -> BusCondition:
        """The server, each stream and each consumer. Raises E-4001, or E-5010 where the user may not ask."""
        from shared.bus.condition import bus_condition

        try:
            return await bus_condition(self._connection, self._timeout)
        except (NatsError, TimeoutError) as error:
            raise self._unreachable() from error

    async def check_address(self, address: Address, within: float) -> AddressFinding:
        """What the carrier knows of an address, or why it does not say. Raises E-4002 where no shipper answers."""
        question = AddressQuestion(addresses=(address,), within=within)
        answer = await self._ask("shipper", subjects.ADDRESSES_CHECK, question, within + self._timeout)
        return AddressFindings.model_validate_json(answer).findings[0]
