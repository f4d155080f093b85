"""Continuous pull: a durable consumer's messages, handed to a handler as they come.

A request for several messages stays open at the server and is renewed before it runs out, so no message waits for a
request to be made. Never more are asked for than there are places to handle them: what waits in a process, with nobody
to say that it is worked on, would be delivered again to the next one, and kept from those that are idle. (FastStream's
pull subscriber asks for each message anew, which costs a row more than a millisecond of processor time:
docs/decisions/0002-bus.md.)
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.bus.parking import Parking
from shared.bus.topology import Consumer
from shared.contracts.message import NewerVersionError
from shared.telemetry import logger

log = logger("bus")

Handler = Callable[[Msg], Awaitable[None]]

# A process that freezes keeps at most this many messages from the others, and attracts more for `_EXPIRES` seconds.
_DEMAND = 16
# The server serves the oldest request first: of two processes that renew theirs at one beat, one would get every
# message that comes now and then, such as one that only the other can read.
_EXPIRES = 5.0
_CHECK_EVERY = 1.0
_REFUSAL_PAUSE = 0.5
_NANOSECONDS = 1_000_000_000

_STATUS = "Status"
_EXPIRED = "408"
_LEFT = "Nats-Pending-Messages"


class Pull:
    """Takes the messages of one durable consumer, at most `concurrency` at a time, and no more than `room` says.

    A reconnect, or a request whose end got lost, may bring some more of them, which are handled as well.
    """

    def __init__(
        self,
        client: Client,
        consumer: Consumer,
        handler: Handler,
        parking: Parking,
        *,
        concurrency: int,
        room: Callable[[], int] | None = None,
    ) -> None:
        self._client = client
        self._consumer = consumer
        self._handler = handler
        self._concurrency = concurrency
        self._room_now = room
        self._parking = parking
        self._handling: set[asyncio.Task[None]] = set()
        # Messages that no handler has begun with, so that `room` cannot know of them.
        self._unseen = 0
        self._inbox = client.new_inbox()
        self._asked_for = 0
        self._asked_at = 0.0
        self._reconnects = 0
        self._need = asyncio.Event()

    async def run(self) -> None:
        """Take messages until cancelled; those in hand then go on until `drain`."""
        subscription = await self._client.subscribe(self._inbox, cb=self._receive)
        try:
            while True:
                if self._wants_more:
                    await self._ask(min(_DEMAND, self._room))
                self._need.clear()
                try:
                    async with asyncio.timeout(_CHECK_EVERY):
                        await self._need.wait()
                except TimeoutError:
                    self._forget_what_the_server_forgot()
        finally:
            try:
                await subscription.unsubscribe()
            except NatsError as error:
                log.info("unsubscribing failed", error=repr(error))

    async def drain(self, grace: float) -> None:
        """Wait for the messages in hand, at most `grace` seconds; what is left is cancelled and delivered again."""
        if self._handling:
            _, late = await asyncio.wait(self._handling, timeout=grace)
            for task in late:
                task.cancel()

    @property
    def _room(self) -> int:
        """How many more messages there are places for, those asked for not counted."""
        free = self._concurrency - len(self._handling)
        if self._room_now is not None:
            free = min(free, self._room_now() - self._unseen)
        return free - self._asked_for

    @property
    def _wants_more(self) -> bool:
        return self._asked_for <= _DEMAND // 2 and self._room > 0

    async def _ask(self, count: int) -> None:
        expires = _EXPIRES * random.uniform(0.5, 1)  # nosec B311  # noqa: S311 - jitter is no secret
        request = {"batch": count, "expires": int(expires * _NANOSECONDS)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._consumer.stream}.{self._consumer.durable}"
        try:
            await self._client.publish(subject, json.dumps(request).encode(), reply=self._inbox)
        except NatsError as error:
            log.warning("asking for messages failed", consumer=self._consumer.durable, error=repr(error))
            return
        self._asked_for += count
        self._asked_at = asyncio.get_running_loop().time()

    def _forget_what_the_server_forgot(self) -> None:
        """After a reconnect, or where a request's end was not said, nothing is open at the server any more."""
        reconnects = self._client.stats["reconnects"]
        overdue = asyncio.get_running_loop().time() > self._asked_at + _EXPIRES + _CHECK_EVERY
        if reconnects != self._reconnects or overdue:
            self._reconnects = reconnects
            self._asked_for = 0

    async def _receive(self, message: Msg) -> None:
        status = message.headers.get(_STATUS) if message.headers else None
        if status is not None:
            await self._heed(status, message)
            return
        self._asked_for = max(0, self._asked_for - 1)
        self._unseen += 1
        task = asyncio.get_running_loop().create_task(self._handle(message))
        self._handling.add(task)
        task.add_done_callback(self._handled)
        if self._wants_more:
            self._need.set()

    async def _heed(self, status: str, message: Msg) -> None:
        """A request's end (expired), or a refusal: the consumer is gone, the cluster has no leader, and the like."""
        if status == _EXPIRED:
            left = (message.headers or {}).get(_LEFT)
            self._asked_for = max(0, self._asked_for - int(left)) if left else 0
        else:
            await asyncio.sleep(_REFUSAL_PAUSE)
            self._asked_for = 0
        self._need.set()

    async def _handle(self, message: Msg) -> None:
        self._unseen -= 1
        try:
            try:
                await self._handler(message)
            except NewerVersionError as error:
                await self._parking.park(message, error)
        except Exception:
            log.exception("handler failed; the message comes again", consumer=self._consumer.durable)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        if self._wants_more:
            self._need.set()
