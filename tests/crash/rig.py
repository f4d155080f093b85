"""A rig: NATS, the sandbox carrier and any number of coordinators, shippers and writebacks as real processes.

Each service process reaches the bus, and the carrier, through a proxy of its own that can be cut.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from services.cli.house.nats_server import choose_port, configuration, find_server
from shared.bus.publishing import Publisher
from shared.bus.topology import LEDGER_ENTRIES
from shared.contracts import subjects
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import InterruptPolicy, JobMode
from tests.crash.bell import PATIENCE, Bell
from tests.crash.books import Books, JobDatabase, Sale, read_ledger, sales
from tests.crash.eavesdropper import Eavesdropper
from tests.crash.house_settings import service, settings
from tests.crash.process import Process
from tests.crash.proxy import Proxy
from tests.crash.shapes import NATS, ONE, ROLES, SANDBOX, Shape
from tests.samples import write_orders

AT_REST = frozenset({"completed", "completed_with_warnings", "failed", "cancelled", "paused", "interrupted"})
_LOOK_EVERY = 0.05
_ASK_EVERY = 0.2
_WORK_QUEUES = (subjects.REQUESTS, subjects.COMMANDS, subjects.OUTCOMES)


@dataclass(frozen=True)
class Batch:
    """A file of orders that was submitted, and the request that did it."""

    request_id: str
    path: Path
    submitted: bytes


@dataclass
class Rig:
    """A running rig; make it with `running_rig`. The processes named in `later` are left to the test to start."""

    folder: Path
    shape: Shape
    processes: dict[str, Process] = field(default_factory=dict)
    proxies: dict[tuple[str, str], Proxy] = field(default_factory=dict)
    heard: Eavesdropper = field(default_factory=Eavesdropper)
    later: frozenset[str] = frozenset()

    async def open(self) -> None:
        """Start everything and wait until it serves."""
        self.bell = Bell()
        for folder in (self.orders, self.data_dir, self.folder / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        self.nats_port = choose_port(None)
        self.sandbox_port = choose_port(None, self.nats_port)
        await self._start_bus()
        self.http = httpx.AsyncClient(timeout=10)
        self._add_sandbox()
        await self.processes[SANDBOX].start()
        self.database = JobDatabase(self._job_database_file)
        for role in ROLES:
            for index in range(self.shape.count(role)):
                await self._add_service(role, index)
        # The first coordinator alone makes the job database and the streams.
        await self.processes["coordinator-0"].start()
        others = [one for one in self.services if one.name != "coordinator-0" and one.name not in self.later]
        await asyncio.gather(*(process.start() for process in others))

    async def _start_bus(self) -> None:
        written = self.folder / "nats.conf"
        written.write_text(configuration(self.nats_port, self.folder), encoding="utf-8")
        self._add(NATS, (find_server(), "-c", str(written)), {}, "Server is ready")
        await self.processes[NATS].start()
        self.client = await self._connect()

    async def _connect(self) -> Client:
        client = await nats.connect(
            self.nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0.2, ping_interval=2, error_cb=_quiet
        )
        await self.heard.listen(client)
        return client

    def _add_sandbox(self) -> None:
        environment = settings(self.data_dir, self.orders) | {"TALLY_HOST": "127.0.0.1"}
        environment["TALLY_PORT"] = str(self.sandbox_port)
        self._add(SANDBOX, service("services.sandbox"), environment, "listening")

    async def _add_service(self, role: str, index: int) -> None:
        name = f"{role}-{index}"
        environment = settings(self.data_dir, self.orders) | dict(self.shape.extra)
        environment["TALLY_NATS_URL"] = await self._bus_of(name)
        environment["TALLY_CARRIER__URL"] = await self._through(name, SANDBOX)
        self._add(name, self._command_of(name, role), environment | self._own_settings(name), '"event": "running"')

    def _command_of(self, _name: str, role: str) -> tuple[str, ...]:
        return service(self.shape.shipper_module if role == "shipper" else f"services.{role}")

    def _own_settings(self, _name: str) -> dict[str, str]:
        """What one process's environment has besides."""
        return {}

    async def _bus_of(self, name: str) -> str:
        """Where a service finds the bus."""
        return await self._through(name, NATS)

    async def _through(self, name: str, server: str) -> str:
        proxy = self.proxies[name, server] = Proxy(self.nats_port if server == NATS else self.sandbox_port)
        await proxy.open()
        return f"{'nats' if server == NATS else 'http'}://127.0.0.1:{proxy.port}"

    def _add(self, name: str, command: Sequence[str], environment: dict[str, str], ready: str) -> None:
        log = self.folder / "logs" / f"{name}.log"
        self.processes[name] = Process(name, command, environment, log, ready, self.bell)

    @property
    def nats_url(self) -> str:
        """The bus itself."""
        return f"nats://127.0.0.1:{self.nats_port}"

    @property
    def orders(self) -> Path:
        """Where the files of orders are."""
        return self.folder / "orders"

    @property
    def data_dir(self) -> Path:
        """The services' data folder."""
        return self.folder / "data"

    @property
    def _job_database_file(self) -> Path:
        url = dict(self.shape.extra).get("TALLY_DATABASE_URL", "")
        return Path(url.removeprefix("sqlite:///")) if url else self.data_dir / "jobs.db"

    @property
    def store(self) -> Path:
        """Where the bus keeps its streams."""
        return self.folder / "nats"

    @property
    def services(self) -> list[Process]:
        """Every coordinator, shipper and writeback."""
        return [process for name, process in self.processes.items() if name.partition("-")[0] in ROLES]

    def of_role(self, role: str) -> list[Process]:
        """The processes of one role, or the one server."""
        return [process for name, process in self.processes.items() if name.partition("-")[0] == role]

    async def rearm(self, name: str, points: str = "") -> Process:
        """End a process and start it anew with these fail points set."""
        process = self.processes[name]
        if process.alive:
            process.kill()
            await process.death()
        await process.start(TALLY_FAILPOINTS=points)
        return process

    async def heal(self, *, but: str = "") -> None:
        """Start what is dead (not `but`), thaw what is frozen, take back what the carrier was told to do wrong."""
        for process in self.processes.values():
            if process.alive and process.life.stopped:
                process.thaw()
        dead = [process for process in self.processes.values() if not process.alive and process.name != but]
        await asyncio.gather(*(process.start() for process in dead))
        await self.set_faults()

    async def submit(
        self,
        rows: int,
        *,
        seed: int,
        mode: JobMode = JobMode.AUTO,
        name: str = "orders",
        on_interrupt: InterruptPolicy | None = None,
    ) -> Batch:
        """Write a file of orders and publish the request to ship it."""
        path = self.orders / f"{name}-{uuid.uuid4().hex[:8]}.csv"
        write_orders(path, rows, seed=seed)
        request = JobRequest(
            request_id=path.stem,
            name=path.stem,
            source=CsvSource(path=str(path)),
            mode=mode,
            on_interrupt=on_interrupt,
        )
        await self.publisher.publish(subjects.REQUESTS, subjects.SUBMIT, request, message_id=uuid.uuid4().hex)
        return Batch(request.request_id, path, path.read_bytes())

    @property
    def publisher(self) -> Publisher:
        """A publisher on the rig's own connection."""
        return Publisher(self.client.jetstream(timeout=5))

    async def job_of(self, batch: Batch) -> str:
        """The job that a batch became, once it is in the job database."""
        return await self.until(lambda: self.database.job_of(batch.request_id), f"job {batch.request_id}")

    async def until(self, found: Any, what: str, within: float = PATIENCE) -> Any:
        """Wait for something that the job database says: nobody rings when it changes, so it is looked at often."""
        return await self.bell.until(found, what, within=within, look_every=_LOOK_EVERY)

    async def until_row(self, job_id: str, number: int, within: float = PATIENCE) -> None:
        """Wait until a job's cursor is at `number`."""
        await self.until(lambda: self.database.progress(job_id)[1] >= number, f"row {number} of {job_id}", within)

    async def until_at_rest(self, job_id: str, within: float = PATIENCE) -> str:
        """Wait until a job needs nothing more, or a person; its status."""
        return await self.until(lambda: self._rest(job_id), f"job {job_id} to end", within)

    async def until_settled(self, job_id: str, within: float = PATIENCE) -> str:
        """Wait until a job needs nothing more, or a person, and nothing of it is under way; its status."""
        return await self.until(
            lambda: self.database.under_way(job_id) == 0 and self._rest(job_id), f"job {job_id} to settle", within
        )

    async def until_quiet(self, within: float = PATIENCE) -> None:
        """Wait until the bus has nothing left that somebody has yet to acknowledge."""
        js = self.client.jetstream(timeout=5)
        loop = asyncio.get_running_loop()
        ends = loop.time() + within
        while True:
            with suppress(NatsError, APIError, TimeoutError):
                left = [(await js.stream_info(stream)).state.messages for stream in _WORK_QUEUES]
                entries = await js.consumer_info(LEDGER_ENTRIES.stream, LEDGER_ENTRIES.durable)
                left += [entries.num_pending or 0, entries.num_ack_pending or 0]
                if not any(left):
                    return
            if loop.time() > ends:
                raise TimeoutError(f"waited {within:g} s for the bus to be quiet")
            await asyncio.sleep(_ASK_EVERY)

    def _rest(self, job_id: str) -> str | None:
        status, _, _ = self.database.progress(job_id)
        return status if status in AT_REST else None

    async def books(self, batch: Batch) -> Books:
        """What the four books say of a batch's job."""
        job_id = await self.job_of(batch)
        job = self.database.job(job_id)
        labels = self.data_dir / "labels"
        return Books(
            job=job,
            ledger=await read_ledger(self.client, subjects.ledger(job_id, 0).replace(".0", ".*")),
            late=await read_ledger(self.client, subjects.late_ledger(job_id, 0).replace(".0", ".*")),
            submitted=batch.submitted,
            source=batch.path.read_bytes(),
            sales=await self.sold(),
            labels=frozenset(str(path.relative_to(labels)) for path in labels.rglob("*") if path.is_file()),
        )

    async def sold(self) -> tuple[Sale, ...]:
        """Every shipment the carrier ever sold."""
        return sales((await self.carrier("GET", "shipments")).json())

    async def carrier(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Call one of the sandbox's own endpoints."""
        answer = await self.http.request(method, f"http://127.0.0.1:{self.sandbox_port}/_sandbox/{path}", **body)
        return answer.raise_for_status()

    async def set_faults(self, *faults: dict[str, Any]) -> None:
        """Have the carrier misbehave from now on; without any it behaves."""
        await self.carrier("PUT", "faults", json=list(faults))

    async def call(self, name: str, **body: Any) -> None:
        """A control call; whether it did anything shows in the job database."""
        try:
            await self.client.request(subjects.api(name), json.dumps(body).encode(), timeout=5)
        except (NatsError, TimeoutError):
            return  # whoever was asked died with the answer

    async def cut(self, name: str, server: str, seconds: float) -> None:
        """Cut a process off from the bus or the carrier."""
        await self.proxies[name, server].cut_for(seconds)

    async def close(self) -> None:
        """End everything that was started."""
        for process in self.processes.values():
            if process.alive:
                process.kill()
        for process in self.processes.values():
            if process.lives:
                await process.death()
        for proxy in self.proxies.values():
            await proxy.close()
        await self.client.close()
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@asynccontextmanager
async def running_rig(folder: Path, shape: Shape = ONE) -> AsyncIterator[Rig]:
    """A rig with its data under `folder`, ended with everything it started, whatever happens."""
    rig = Rig(folder, shape)
    try:
        await rig.open()
        yield rig
    finally:
        await rig.close()


async def _quiet(_: Exception) -> None:
    """A bus that is away is what these tests are about."""
