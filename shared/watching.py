"""One job's events, for whoever watches it."""

from __future__ import annotations

from nats.aio.client import Client as NatsClient
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import DeliverPolicy

from shared.contracts import subjects
from shared.contracts.events import JobEvent


class JobEvents:
    """One job's events, in order, each once; it goes on by itself when the bus comes back."""

    def __init__(self, connection: NatsClient, job_id: str, timeout: float) -> None:
        self._connection = connection
        self._subject = subjects.event(job_id, "*")
        self._js = connection.jetstream(timeout=timeout)
        self._subscription: Subscription | None = None
        self._reconnects = 0
        self._seen = 0

    async def subscribe(self, *, from_first: bool) -> None:
        """Start to listen, from the first event or to those to come."""
        self._reconnects = self._connection.stats["reconnects"]
        self._subscription = await self._js.subscribe(
            self._subject,
            stream=subjects.EVENTS,
            ordered_consumer=True,
            deliver_policy=DeliverPolicy.ALL if from_first else DeliverPolicy.NEW,
        )

    async def next(self, timeout: float) -> JobEvent | None:  # noqa: ASYNC109 - silence is an answer, not a failure
        """The next event, or None after `timeout` seconds of silence."""
        assert self._subscription is not None
        try:
            message = await self._subscription.next_msg(timeout)
            while message.metadata.sequence.stream <= self._seen:
                message = await self._subscription.next_msg(timeout)
        except TimeoutError:
            await self._listen_again_after_a_restart()
            return None
        self._seen = message.metadata.sequence.stream
        return JobEvent.model_validate_json(message.data)

    async def close(self) -> None:
        """Stop listening."""
        if self._subscription is not None and not self._connection.is_closed:
            await self._subscription.unsubscribe()

    async def _listen_again_after_a_restart(self) -> None:
        """A server that was started anew has forgotten who listened: say it again, and pass over what was seen."""
        if self._connection.is_connected and self._connection.stats["reconnects"] != self._reconnects:
            try:
                info = await self._js.stream_info(subjects.EVENTS)
                if info.state.last_seq < self._seen:
                    self._seen = 0  # a store that was lost counts anew
                await self.close()
                await self.subscribe(from_first=True)
            except (NatsError, TimeoutError):
                self._reconnects = -1  # not yet: at the next silence
