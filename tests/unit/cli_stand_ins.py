"""Documents for the command line's tests, and a scripted house that answers on a real NATS server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import RetentionPolicy, StreamConfig

from services.cli.house import nats_server
from shared.client import TallyClient
from shared.contracts import subjects
from shared.contracts.api import JobList, Reply, RowList, ServiceStatus
from shared.contracts.documents import JobDocument, RowCounts, RowDocument, WriteBackCounts, WriteBackDocument
from shared.contracts.events import EventType, JobEvent
from shared.contracts.restoring import Restoration
from shared.contracts.source import CsvSource
from shared.contracts.states import InterruptPolicy, JobMode, JobStatus, RowStatus, WriteBackStatus
from shared.errors import JOB_NOT_FOUND, TallyError
from shared.shipping import Money

AT = datetime(2026, 11, 21, 10, 15, 30, tzinfo=UTC)
WITHIN = 20.0


def dollars(amount: str) -> Money:
    return Money(amount=Decimal(amount))


def job(job_id: str = "k3v9q2m8xw1dabcd", status: JobStatus = JobStatus.RUNNING, **changes: Any) -> JobDocument:
    """A job of thirty rows."""
    return JobDocument(
        job_id=job_id,
        request_id="orders-1",
        name="California orders",
        status=status,
        mode=JobMode.CONFIRM,
        on_interrupt=InterruptPolicy.ASK,
        source=CsvSource(path="/work/orders.csv"),
        cursor=15,
        rows=RowCounts(total=30, shipped=15),
        cost=dollars("184.20"),
        estimate=dollars("372.00"),
        write_back=WriteBackCounts(due=2, written=13),
        created_at=AT,
        started_at=AT,
    ).model_copy(update=changes)


def row(number: int = 1, status: RowStatus = RowStatus.SHIPPED, **changes: Any) -> RowDocument:
    """A shipped row."""
    return RowDocument(
        row_number=number,
        source_row=number,
        status=status,
        attempt=1,
        reference=f"TABC{number:07}",
        recipient="Zoë Ng",
        destination="Agawam, MA",
        service="2nd_day_air",
        tracking_numbers=(f"1ZTALLY102{number:08}",),
        cost=dollars("12.40"),
        estimate=dollars("12.40"),
        write_back=WriteBackDocument(status=WriteBackStatus.WRITTEN),
        shipped_at=AT + timedelta(seconds=number),
    ).model_copy(update=changes)


class ScriptedHouse:
    """Answers control calls as told, and says events; a call that is named in `results` changes the jobs first."""

    def __init__(self, connection: Client, url: str) -> None:
        self.url = url
        self.connection = connection
        self.jobs: dict[str, JobDocument] = {}
        self.rows: list[RowDocument] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.services: list[ServiceStatus] = []
        self.requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.results: dict[str, dict[str, JobDocument]] = {}
        self.lists: dict[str, RowList | Restoration] = {}
        self.answers: Sequence[tuple[str, bytes]] = ()

    async def open(self) -> None:
        """Make the streams and listen."""
        js = self.connection.jetstream()
        await js.add_stream(
            StreamConfig(name=subjects.REQUESTS, subjects=[subjects.ALL_REQUESTS], retention=RetentionPolicy.WORK_QUEUE)
        )
        await js.add_stream(StreamConfig(name=subjects.EVENTS, subjects=[subjects.ALL_EVENTS]))
        await self.connection.subscribe(subjects.SUBMIT, cb=self._submitted)
        await self.connection.subscribe(subjects.STATUS, cb=self._status)

    async def answer_calls(self) -> None:
        """From now on answer the control calls."""
        await self.connection.subscribe(subjects.api("*"), cb=self._answer)
        await self.connection.flush()

    async def say(self, event: EventType, document: JobDocument, last_row: RowDocument | None = None) -> None:
        """Publish an event."""
        message = JobEvent(
            type=event,
            at=AT,
            job_id=document.job_id,
            request_id=document.request_id,
            job=document,
            last_row=last_row,
        )
        await self.connection.jetstream().publish(
            subjects.event(document.job_id, event), message.encode(), stream=subjects.EVENTS
        )

    async def _submitted(self, message: Msg) -> None:
        self.requests.put_nowait(json.loads(message.data))
        for subject, body in self.answers:
            await self.connection.publish(subject, body)

    async def _status(self, message: Msg) -> None:
        for service in self.services:
            await self.connection.publish(message.reply, service.encode())

    async def _answer(self, message: Msg) -> None:
        call = message.subject.rpartition(".")[2]
        body = json.loads(message.data)
        self.calls.append((call, body))
        try:
            result = self._result(call, body)
        except TallyError as error:
            reply = Reply(error=error.body)
        else:
            reply = Reply(result=result.model_dump(mode="json"))
        await message.respond(reply.encode())

    def _result(self, call: str, body: dict[str, Any]) -> JobDocument | JobList | RowList | RowDocument | Restoration:
        if call == "list":
            before = body["before"] and datetime.fromisoformat(body["before"])
            listed = [known for known in self.jobs.values() if body["status"] in {None, known.status}]
            newest = sorted(listed, key=lambda known: known.created_at, reverse=True)
            older = [known for known in newest if before is None or known.created_at < before]
            return JobList(jobs=tuple(older[: body["limit"]]))
        if call == "rows":
            rows = [known for known in self.rows if body["status"] in {None, known.status}]
            page = [known for known in rows if known.row_number > body["after"]][: body["limit"]]
            more = page and page[-1].row_number < rows[-1].row_number
            return RowList(rows=tuple(page), next_after=page[-1].row_number if more else None)
        if call in self.lists:
            return self.lists[call]
        if call == "row":
            return next(known for known in self.rows if known.row_number == body["row_number"])
        if call in self.results:
            self.jobs |= self.results[call]
        if body.get("request_id"):
            found = [known for known in self.jobs.values() if known.request_id == body["request_id"]]
        else:
            found = [self.jobs[body["job_id"]]] if body["job_id"] in self.jobs else []
        if not found:
            raise TallyError(JOB_NOT_FOUND, job_id=body.get("job_id"))
        return found[0]


@asynccontextmanager
async def nats_bus(folder: Path) -> AsyncIterator[str]:
    """A NATS server of its own; yields its URL."""
    port = nats_server.choose_port(None)
    config = folder / "nats.conf"
    config.write_text(nats_server.configuration(port, folder))
    process = await asyncio.create_subprocess_exec(
        nats_server.find_server(), "-c", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(WITHIN):
            while not await _listens(port):
                assert process.returncode is None
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def scripted_house(folder: Path, *, answering: bool = True) -> AsyncIterator[tuple[ScriptedHouse, TallyClient]]:
    """A scripted house and a client of it."""
    async with nats_bus(folder) as url:
        connection = await nats.connect(url)
        house = ScriptedHouse(connection, url)
        try:
            await house.open()
            if answering:
                await house.answer_calls()
            async with await TallyClient.connect(url, 2) as client:
                yield house, client
        finally:
            await connection.close()
