"""Requests for jobs: submitted, previewed, compared by service and inspected."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError

from shared.bus.publishing import Publisher
from shared.client.connection import INSPECT_TIMEOUT, SILENCE
from shared.client.jobs import Jobs
from shared.contracts import api, subjects
from shared.contracts.documents import ComparisonDocument, InspectionDocument, PreviewDocument, PreviewRow
from shared.contracts.events import EventType, JobEvent
from shared.contracts.refusals import RefusedOrder, RefusedOrders
from shared.contracts.requests import JobRequest
from shared.errors import BUS_TIMEOUT, JOB_NOT_FOUND, REQUEST_ID_REUSED, TallyError

OnProgress = Callable[[api.PreviewProgress], None]
SUBMIT_TIMEOUT = 60.0
PREVIEW_SILENCE = 120.0
PREVIEW_LIMIT = 7200.0
_ANSWERS = frozenset({EventType.ACCEPTED, EventType.REJECTED})


class Requests(Jobs):
    """What is asked before there is a job, and the submission that makes one."""

    async def submit(self, request: JobRequest) -> JobEvent:
        """Have a batch shipped: publish `request` and return the event that accepts or rejects it.

        Where the event is missed, the job that the request made is looked up and returned as accepted. Raises E-4013
        where the bus does not confirm the request, E-5010 where it does not let this user submit, E-2021 where the
        request's id belongs to another one.
        """
        events = await self._connection.subscribe(subjects.ALL_EVENTS)
        try:
            async with self._refusals.told_at_once(subjects.SUBMIT):
                await Publisher(self._connection.jetstream()).publish(
                    subjects.REQUESTS,
                    subjects.SUBMIT,
                    request,
                    # The coordinator tells repeated requests by request_id; this id only lets a publish be tried again.
                    message_id=f"{request.request_id}:{uuid.uuid4().hex}",
                    retry_for=self._timeout,
                )
            return await self._answer_to(request, events)
        except NatsError as error:
            raise self._unreachable() from error
        finally:
            await self._end(events)

    async def preview(
        self, request: JobRequest, limit: int = 20, *, every_row: bool = False, on_progress: OnProgress | None = None
    ) -> PreviewDocument:
        """What `request` would cost, without making a job; the first `limit` rows one by one, or with `every_row` all.

        `on_progress` hears how far it is. It may take as long as it goes on, PREVIEW_SILENCE seconds without a sign of
        that are E-4002.
        """
        rows: list[PreviewRow] = []
        heard = asyncio.Event()

        def listen(progress: api.PreviewProgress) -> None:
            rows.extend(progress.rows)
            heard.set()
            if on_progress is not None:
                on_progress(progress)

        async with self._hearing("preview", listen) as inbox:
            body = api.PreviewSource(request=request, limit=limit, progress=inbox, every_row=every_row)
            document = await self._call("preview", body, PreviewDocument, within=PREVIEW_LIMIT)
            while every_row and len(rows) < document.total:
                heard.clear()
                await heard.wait()
        return document.model_copy(update={"rows": tuple(rows)}) if every_row else document

    async def compare(self, request: JobRequest, *, on_progress: OnProgress | None = None) -> ComparisonDocument:
        """What `request` would cost by each service, without making a job; heard of as `preview` is."""
        async with self._hearing("compare", on_progress or _unheard) as inbox:
            body = api.CompareServices(request=request, progress=inbox)
            return await self._call("compare", body, ComparisonDocument, within=PREVIEW_LIMIT)

    @asynccontextmanager
    async def _hearing(self, call: str, listen: OnProgress) -> AsyncIterator[str]:
        """An inbox whose progress `listen` is told of; a call that is silent for PREVIEW_SILENCE seconds is E-4002."""
        inbox = self._connection.new_inbox()

        async def hear(message: Msg) -> None:
            listen(api.PreviewProgress.model_validate_json(message.data))
            patience.reschedule(asyncio.get_running_loop().time() + PREVIEW_SILENCE)

        try:
            async with asyncio.timeout(PREVIEW_SILENCE) as patience:
                # Not one row may be dropped here, however long the source is.
                subscription = await self._connection.subscribe(
                    inbox, cb=hear, pending_msgs_limit=0, pending_bytes_limit=0
                )
                try:
                    yield inbox
                finally:
                    await self._end(subscription)
        except TimeoutError as error:
            raise TallyError(
                BUS_TIMEOUT, service="coordinator", subject=subjects.api(call), seconds=f"{PREVIEW_SILENCE:g}"
            ) from error
        except NatsError as error:
            raise self._unreachable() from error

    async def inspect(self, request: JobRequest) -> InspectionDocument:
        """What `request`'s source is, and what would become of its orders, without making a job."""
        return await self._call(
            "inspect", api.InspectSource(request=request), InspectionDocument, within=INSPECT_TIMEOUT
        )

    async def inspect_whole(self, request: JobRequest) -> tuple[InspectionDocument, tuple[RefusedOrder, ...]]:
        """The same, with every order that cannot ship. Raises E-4002 where some of them got lost on the way."""
        refused: list[RefusedOrder] = []
        inbox = self._connection.new_inbox()
        # Not one order may be dropped here, however many there are.
        subscription = await self._connection.subscribe(inbox, pending_msgs_limit=0, pending_bytes_limit=0)
        try:
            body = api.InspectSource(request=request, refused=inbox)
            document = await self._call("inspect", body, InspectionDocument, within=INSPECT_TIMEOUT)
            while len(refused) < document.refused:
                message = await subscription.next_msg(self._timeout)
                refused += RefusedOrders.model_validate_json(message.data).orders
        except NatsTimeoutError as error:
            seconds = f"{self._timeout:g}"
            raise TallyError(
                BUS_TIMEOUT, service="coordinator", subject=subjects.api("inspect"), seconds=seconds
            ) from error
        except NatsError as error:
            raise self._unreachable() from error
        finally:
            await self._end(subscription)
        return document, tuple(refused)

    async def _answer_to(self, request: JobRequest, events: Subscription) -> JobEvent:
        try:
            async with asyncio.timeout(max(SUBMIT_TIMEOUT, self._timeout)):
                while True:
                    try:
                        event = _answer(request, await events.next_msg(SILENCE))
                    except TimeoutError:
                        event = await self._made_by(request)
                    if event is not None:
                        return event
        except TimeoutError as error:
            raise TallyError(
                BUS_TIMEOUT, service="coordinator", subject=subjects.SUBMIT, seconds=f"{SUBMIT_TIMEOUT:g}"
            ) from error

    async def _made_by(self, request: JobRequest) -> JobEvent | None:
        """The event that would have accepted `request`, had it been heard; None while there is no such job."""
        try:
            job = await self.show(request_id=request.request_id)
        except TallyError as error:
            if error.kind is JOB_NOT_FOUND or error.kind.retryable:
                return None
            raise
        if (job.mode, job.where) != (request.mode, request.where):
            raise TallyError(REQUEST_ID_REUSED, request_id=request.request_id, job_id=job.job_id)
        return JobEvent(
            type=EventType.ACCEPTED, at=job.created_at, job_id=job.job_id, request_id=job.request_id, job=job
        )


def _answer(request: JobRequest, message: Msg) -> JobEvent | None:
    """The event in `message` where it accepts or rejects `request`; what is not ours is not judged."""
    try:
        body = json.loads(message.data)
    except ValueError:
        return None
    is_ours = isinstance(body, dict) and body.get("request_id") == request.request_id and body.get("type") in _ANSWERS
    return JobEvent.model_validate(body) if is_ours else None


def _unheard(_: api.PreviewProgress) -> None:
    """What to do with progress that nobody waits for."""
