"""The client of a house: what the command line, the console and assistants' tools speak.

Jobs are submitted as durable messages, controlled by request and reply, and watched by their events; nothing here needs
more than the bus (DESIGN §3, §6).
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

import stamina
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import NotFoundError
from pydantic import BaseModel

from shared.bus.connecting import BusAccess, Refusals
from shared.bus.publishing import Publisher
from shared.clock import utc_now
from shared.contracts import api, subjects
from shared.contracts.addresses import AddressFinding, AddressFindings, AddressQuestion
from shared.contracts.audit import AuditPage, AuditRecord, AuditVerification, ListAudit, VerifyAudit
from shared.contracts.documents import (
    ComparisonDocument,
    InspectionDocument,
    JobDocument,
    PreviewDocument,
    PreviewRow,
    RowDocument,
    VerificationDocument,
)
from shared.contracts.events import EventType, JobEvent
from shared.contracts.labels import GetLabel, LabelChunk
from shared.contracts.message import Message
from shared.contracts.purging import PlanPurge, PurgedJob, PurgeJob, PurgePlan, RewriteDatabase, Rewritten
from shared.contracts.refusals import RefusedOrder, RefusedOrders
from shared.contracts.report import ReportDocument, ShowReport
from shared.contracts.requests import JobRequest
from shared.contracts.restoring import Restoration
from shared.contracts.states import JobMode, JobStatus, RowStatus
from shared.errors import (
    BUS_TIMEOUT,
    BUS_UNREACHABLE,
    JOB_NOT_FOUND,
    LABEL_UNREADABLE,
    REQUEST_ID_REUSED,
    TallyError,
)
from shared.shipping import Address, Money
from shared.telemetry import tracing
from shared.version import VERSION
from shared.watching import JobEvents

if TYPE_CHECKING:
    from shared.bus.condition import BusCondition

DocumentT = TypeVar("DocumentT", bound=BaseModel)
OnProgress = Callable[[api.PreviewProgress], None]

SUBMIT_TIMEOUT = 60.0
PREVIEW_SILENCE = 120.0
PREVIEW_LIMIT = 7200.0
INSPECT_TIMEOUT = 300.0
APPROVE_TIMEOUT = 300.0
VOID_TIMEOUT = 60.0
RESTORE_TIMEOUT = 70.0
LABEL_TIMEOUT = 130.0
VOIDS_A_CALL = 200
STATUS_WINDOW = 0.5
CHECKS_TAKE = 2.5
NOBODY_FOR = 3.0
SILENCE = 2.0

# Whether there is a bus is decided at once; from then on it may come and go.
_FIRST_TRY: dict[str, Any] = {"allow_reconnect": False, "reconnect_time_wait": 0, "max_reconnect_attempts": 1}
_LATER_TRIES = {"allow_reconnect": True, "reconnect_time_wait": 0.5, "max_reconnect_attempts": -1}
_ANSWERS = frozenset({EventType.ACCEPTED, EventType.REJECTED})


class TallyClient:
    """A connection to a house's bus; use it as an async context manager.

    Every method raises TallyError: the error that the house answered, E-4001 while the bus is away, E-4002 where nobody
    answers in time.
    """

    def __init__(
        self, connection: NatsClient, access: BusAccess, refusals: Refusals, timeout: float, closed: asyncio.Event
    ) -> None:
        self._connection = connection
        self._access = access
        self._refusals = refusals
        self._timeout = timeout
        self._closed = closed

    @classmethod
    async def connect(cls, bus: BusAccess | str, timeout: float = 10.0) -> Self:  # noqa: ASYNC109 - also each call's time-out
        """Connect to `bus`, at once or not at all; `timeout` seconds bound this and every later call.

        A connection that is lost later comes back by itself. Raises E-4001; E-5008 where the credentials are refused,
        E-5009 where TLS fails.
        """
        access = BusAccess(bus) if isinstance(bus, str) else bus
        refusals = Refusals(access)
        connection = NatsClient()
        closed = asyncio.Event()

        async def note_closed() -> None:
            closed.set()

        try:
            async with asyncio.timeout(timeout):
                await connection.connect(
                    **access.options(),
                    connect_timeout=max(1, round(timeout)),
                    ping_interval=5,
                    error_cb=refusals.note,
                    closed_cb=note_closed,
                    **_FIRST_TRY,
                )
        except (OSError, NatsError, TimeoutError) as error:
            raise access.refusal(error) or TallyError(BUS_UNREACHABLE, url=access.shown) from error
        connection.options.update(_LATER_TRIES)
        return cls(connection, access, refusals, timeout, closed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def is_answered(self, within: int = 1) -> bool:
        """Whether the bus answers at this moment, `within` seconds; one that is away comes back by itself."""
        if not self._connection.is_connected:
            return False
        try:
            await self._connection.flush(within)
        except (NatsError, TimeoutError):
            return False
        return True

    async def until_closed(self) -> None:
        """Return once the connection is over for good."""
        await self._closed.wait()

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

    async def submit(self, request: JobRequest) -> JobEvent:
        """Have a batch shipped: publish `request` and return the event that accepts or rejects it.

        Where the event is missed, the job that the request made is looked up and returned as accepted. Raises E-4013
        where the bus does not confirm the request, E-2021 where its id belongs to another request.
        """
        events = await self._connection.subscribe(subjects.ALL_EVENTS)
        try:
            await Publisher(self._connection.jetstream()).publish(
                subjects.REQUESTS,
                subjects.SUBMIT,
                request,
                # The coordinator tells repeated requests by request_id; this id only lets one publish be tried again.
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

    async def list_jobs(
        self, *, status: JobStatus | None = None, limit: int = 50, before: str | None = None
    ) -> tuple[JobDocument, ...]:
        """The newest jobs first; `before` pages on from a job's `created_at` (ISO time)."""
        return (await self._call("list", api.ListJobs(status=status, limit=limit, before=before), api.JobList)).jobs

    async def show(self, job_id: str | None = None, *, request_id: str | None = None) -> JobDocument:
        """One job, by its id or by the request that made it. Raises E-4003."""
        return await self._call("show", api.ShowJob(job_id=job_id, request_id=request_id), JobDocument)

    async def rows(
        self, job_id: str, *, status: RowStatus | None = None, after: int = 0, page: int = 200
    ) -> AsyncGenerator[RowDocument]:
        """A job's rows in order, fetched `page` at a time. Raises E-4003."""
        following: int | None = after
        while following is not None:
            rows = await self.row_page(job_id, status=status, after=following, limit=page)
            for row in rows.rows:
                yield row
            following = rows.next_after

    async def row_page(
        self, job_id: str, *, status: RowStatus | None = None, after: int = 0, limit: int = 200
    ) -> api.RowList:
        """A page of a job's rows, behind row `after`. Raises E-4003."""
        return await self._call(
            "rows", api.ListRows(job_id=job_id, status=status, after=after, limit=limit), api.RowList
        )

    async def row(self, job_id: str, row_number: int) -> RowDocument:
        """One row, with the evidence of every look-up. Raises E-4003 or E-4004."""
        return await self._call("row", api.ShowRow(job_id=job_id, row_number=row_number), RowDocument)

    async def resolve(
        self, job_id: str, row_number: int, tracking_number: str | None, by: str = "", reason: str = ""
    ) -> RowDocument:
        """Record what a person found out about a row in doubt: its number, or None. Raises E-4004 or E-4008."""
        call = api.ResolveRow(
            job_id=job_id, row_number=row_number, tracking_number=tracking_number, by=by, reason=reason
        )
        return await self._call("resolve", call, RowDocument)

    async def void(
        self, job_id: str, row_numbers: Sequence[int], *, tracking_number: str | None = None, by: str = ""
    ) -> tuple[RowDocument, ...]:
        """Have the labels of shipped rows voided, VOIDS_A_CALL at a time; the rows as they are with the orders given.

        With `tracking_number`, a second label of the one row named. Raises E-4004, E-4020 or E-4021.
        """
        rows: list[RowDocument] = []
        for start in range(0, len(row_numbers), VOIDS_A_CALL):
            numbers = tuple(row_numbers[start : start + VOIDS_A_CALL])
            call = api.VoidRows(job_id=job_id, row_numbers=numbers, tracking_number=tracking_number, by=by)
            rows += (await self._call("void", call, api.RowList, within=VOID_TIMEOUT)).rows
        return tuple(rows)

    async def verify(self, job_id: str, *, rewrite: bool = True, by: str = "") -> VerificationDocument:
        """Compare a job's numbers with its source; with `rewrite` those that lack there are written once more.

        Raises E-4003, and E-1xxx where the source cannot be read.
        """
        call = api.VerifyJob(job_id=job_id, rewrite=rewrite, by=by)
        return await self._call("verify", call, VerificationDocument, within=INSPECT_TIMEOUT)

    async def audit(self, job_id: str, row_number: int | None = None, page: int = 500) -> AsyncGenerator[AuditRecord]:
        """A job's audit trail in order, or what it says of one row, fetched `page` at a time. Raises E-4003."""
        following: int | None = 0
        while following is not None:
            found = await self.audit_page(job_id, row_number, after=following, limit=page)
            for entry in found.entries:
                yield entry
            following = found.next_after

    async def audit_page(
        self, job_id: str, row_number: int | None = None, *, after: int = 0, limit: int = 500
    ) -> AuditPage:
        """A page of a job's audit trail, behind entry `after`, or of what it says of one row. Raises E-4003."""
        call = ListAudit(job_id=job_id, row_number=row_number, after=after, limit=limit)
        return await self._call("audit", call, AuditPage)

    async def verify_audit(self, job_id: str | None = None, head: str | None = None) -> AuditVerification:
        """Check a job's audit trail, or without a job the trails of all, and that an earlier `head` is still there.

        Raises E-4003.
        """
        call = VerifyAudit(job_id=job_id, head=head)
        return await self._call("verify-audit", call, AuditVerification, within=INSPECT_TIMEOUT)

    async def plan_purge(self, older_than: timedelta) -> PurgePlan:
        """Which jobs have been over for longer than that and can be purged, and which of that age are kept."""
        call = PlanPurge(older_than=older_than.total_seconds())
        return await self._call("plan-purge", call, PurgePlan, within=VOID_TIMEOUT)

    async def purge(self, job_id: str, before: datetime, by: str = "") -> PurgedJob:
        """Purge a job that ended `before`, or finish the purge that was begun. Raises E-4041 where it is to be kept."""
        call = PurgeJob(job_id=job_id, before=before, by=by)
        return await self._call("purge", call, PurgedJob, within=INSPECT_TIMEOUT)

    async def rewrite_database(self) -> Rewritten:
        """Have the job database's file written anew, without what was deleted. Raises E-4043."""
        return await self._call("rewrite-database", RewriteDatabase(), Rewritten, within=INSPECT_TIMEOUT)

    async def report(self, job_id: str) -> ReportDocument:
        """A job's report. Raises E-4003."""
        return await self._call("report", ShowReport(job_id=job_id), ReportDocument, within=VOID_TIMEOUT)

    async def label(self, key: str) -> bytes:
        """A label or an invoice by its key, as a row's document tells it. Raises E-4050 or E-4051."""
        content, size, tag = b"", 1, ""
        while len(content) < size:
            call = GetLabel(key=key, offset=len(content))
            chunk = LabelChunk.model_validate_json(await self._ask("shipper", subjects.LABELS_GET, call))
            if chunk.error is not None:
                raise TallyError.from_body(chunk.error)
            if not chunk.content or (content and chunk.tag != tag):
                raise TallyError(LABEL_UNREADABLE, key=key, reason="it changed while it was read")
            content, size, tag = content + chunk.content, chunk.size, chunk.tag
        return content

    async def fetch_label(self, job_id: str, row_number: int, by: str = "") -> RowDocument:
        """Have a row's label fetched from the carrier again; the row with it. Raises E-4004, or why there is none."""
        call = api.FetchLabel(job_id=job_id, row_number=row_number, by=by)
        return await self._call("fetch-label", call, RowDocument, within=LABEL_TIMEOUT)

    async def restore(
        self, job_id: str, digest: str | None = None, *, force: bool = False, by: str = ""
    ) -> Restoration:
        """What putting a job's source back replaces; with the digest that was told it is done.

        Raises E-4005, E-4024 where there is no copy, or E-4025 where more than the job's numbers would be lost and that
        is not forced.
        """
        call = api.RestoreJob(job_id=job_id, digest=digest, force=force, by=by)
        return await self._call("restore", call, Restoration, within=RESTORE_TIMEOUT)

    async def approve(self, job_id: str, by: str = "", *, seen: Money | None = None) -> JobDocument:
        """Approve a job's preview: it starts to ship. `seen` is the estimate that the approval is good for.

        Raises E-4005; with `seen`, E-4030 where the source changed since the preview and E-4031 where the estimate did.
        """
        call = api.ApproveJob(job_id=job_id, by=by, estimate=seen)
        return await self._call("approve", call, JobDocument, within=APPROVE_TIMEOUT)

    async def reject(self, job_id: str, by: str = "") -> JobDocument:
        """Refuse a job's preview: nothing ships. Raises E-4005."""
        return await self._control("reject", job_id, by)

    async def pause(self, job_id: str, by: str = "") -> JobDocument:
        """Stop a job after the row in hand. Raises E-4005."""
        return await self._control("pause", job_id, by)

    async def resume(self, job_id: str, by: str = "") -> JobDocument:
        """Let a failed, paused or interrupted job go on at its cursor. Raises E-4005."""
        return await self._control("resume", job_id, by)

    async def restart(self, job_id: str, mode: JobMode | None = None, by: str = "") -> JobDocument:
        """Do a job over as a new one; the new one, the same however often it is asked for.

        Raises E-4005, or E-4022 while a row is in flight, in doubt or voiding.
        """
        return await self._call("restart", api.RestartJob(job_id=job_id, mode=mode, by=by), JobDocument)

    async def cancel(self, job_id: str, by: str = "") -> JobDocument:
        """End a job for good; what is shipped stays shipped. Raises E-4005."""
        return await self._control("cancel", job_id, by)

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

    async def bus_condition(self) -> BusCondition:
        """The server, each stream and each consumer. Raises E-4001, or E-5010 where the user may not ask."""
        from shared.bus.condition import bus_condition

        try:
            return await bus_condition(self._connection, self._timeout)
        except (NatsError, TimeoutError) as error:
            raise self._unreachable() from error

    async def last_event(self, job_id: str) -> JobEvent | None:
        """A job's latest event; None where there is none. Raises E-4001."""
        try:
            found = await self._connection.jetstream().get_last_msg(subjects.EVENTS, subjects.events_of(job_id))
        except NotFoundError:
            return None
        except (NatsError, TimeoutError) as error:
            raise self._unreachable() from error
        return JobEvent.model_validate_json(found.data or b"")

    async def check_address(self, address: Address, within: float) -> AddressFinding:
        """What the carrier knows of an address, or why it does not say. Raises E-4002 where no shipper answers."""
        question = AddressQuestion(addresses=(address,), within=within)
        answer = await self._ask("shipper", subjects.ADDRESSES_CHECK, question, within + self._timeout)
        return AddressFindings.model_validate_json(answer).findings[0]

    def _unreachable(self) -> TallyError:
        """What to tell of a failure of the bus: that it refused us, where it said so, else that it is away."""
        return self._refusals.taken() or TallyError(BUS_UNREACHABLE, url=self._access.shown)

    async def _control(self, call: str, job_id: str, by: str) -> JobDocument:
        return await self._call(call, api.ControlJob(job_id=job_id, by=by), JobDocument)

    async def _call(
        self, call: str, body: Message, document: type[DocumentT], within: float | None = None
    ) -> DocumentT:
        answer = await self._ask("coordinator", subjects.api(call), body, within)
        reply = api.Reply.model_validate_json(answer)
        if reply.error is not None:
            raise TallyError.from_body(reply.error)
        return document.model_validate(reply.result)

    async def _ask(self, service: str, subject: str, body: Message, within: float | None = None) -> bytes:
        seconds = within or self._timeout
        try:
            # A request that nobody listens for was delivered to nobody, so any call may be sent again; one that
            # timed out may have been heard, and is not.
            async for attempt in stamina.retry_context(
                on=NoRespondersError, attempts=None, timeout=min(seconds, NOBODY_FOR), wait_initial=0.1, wait_max=0.5
            ):
                with attempt:
                    message = await self._connection.request(
                        subject, body.encode(), timeout=seconds, headers=tracing.headers()
                    )
        except (NoRespondersError, TimeoutError) as error:
            if refusal := self._refusals.taken():
                raise refusal from error
            if not self._connection.is_connected:
                raise self._unreachable() from error
            raise TallyError(BUS_TIMEOUT, service=service, subject=subject, seconds=f"{seconds:g}") from error
        except NatsError as error:
            raise self._unreachable() from error
        return message.data

    async def _end(self, subscription: Subscription) -> None:
        if not self._connection.is_closed:
            await subscription.unsubscribe()

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
