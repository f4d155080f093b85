"""One job's events, for whoever watches it."""

from __future__ import annotations

from nats.aio.client import Client as NatsClient
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import DeliverPolicy

from shared.contracts import subjects
from shared.contracts.documents import JobDocument
from shared.contracts.events import EventType, JobEvent
from shared.contracts.states import JobStatus

_ENDED = frozenset({JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_WARNINGS, JobStatus.FAILED, JobStatus.CANCELLED})


class JobEvents:
    """One job's events, in order, each once; it goes on by itself when the bus comes back."""

    def __init__(self, connection: NatsClient, job_id: str, timeout: float) -> None:
        self._connection = connection
        self._subject = subjects.event(job_id, "*")
        self._js = connection.jetstream(timeout=timeout)
        self._subscription: Subscription | None = None
        self._reconnects = 0
        self._seen = 0

    @property
    def seen(self) -> int:
        """The number of the last event that was given, by which another watch can go on; 0 before the first."""
        return self._seen

    async def go_on(self, after: int) -> None:
        """Start to listen, to what came behind event `after`; from the first where the bus has lost that."""
        info = await self._js.stream_info(subjects.EVENTS)
        self._seen = after if after <= info.state.last_seq else 0
        await self.subscribe(from_first=True)

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


def has_ended(job: JobDocument) -> bool:
    """Whether the job came to an end; a failed one may still be resumed."""
    return job.status in _ENDED


def says_end(event: JobEvent) -> bool:
    """Whether an event is a job's end; one that came before it may have the ended job in it already."""
    return event.job is not None and has_ended(event.job) and event.type is EventType.entered(event.job.status)


def is_end_of(event: JobEvent | None, job: JobDocument) -> bool:
    """Whether `event`, which says an end, is the one that `job` came to; silence where the job has ended is one too."""
    return has_ended(job) and (event is None or event.job is None or event.job.ended_at == job.ended_at)


def missed_end(job: JobDocument) -> JobEvent:
    """The event that says a job's end, where it was not heard: events are news, and may be lost."""
    assert job.ended_at is not None
    return JobEvent(
        type=EventType.entered(job.status),
        at=job.ended_at,
        job_id=job.job_id,
        request_id=job.request_id,
        job=job,
        error=job.error,
    )
