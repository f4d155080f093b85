"""One life of a house by a seed: jobs ship while processes die, freeze and lose the bus; in the end all is right."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, bindparam, select

from services.coordinator import states
from services.coordinator.database import intake
from services.coordinator.database.new_rows import NewRow
from services.coordinator.database.tables import jobs, rows
from services.coordinator.identity import job_id_for, request_hash
from shared.contracts.api import ApproveJob, ControlJob, ResolveRow
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import InterruptPolicy, JobMode, JobStatus, RowStatus, WriteBackStatus
from shared.errors import ABANDONED
from shared.settings import CarrierSettings
from shared.telemetry import logger
from tests.contract.messages import SHIPMENT
from tests.simulation.house.bus import Server
from tests.simulation.house.carrier import CarrierBooks
from tests.simulation.house.database import SimulatedDatabase
from tests.simulation.house.loop import Process, SimulatedLoop
from tests.simulation.house.network import Network
from tests.simulation.house.processes import Premises, Running, coordinator, shipper, writeback
from tests.simulation.house.surroundings import governed

log = logger("simulation")

BEGINNING = datetime(2026, 1, 1, 9, tzinfo=UTC)
TROUBLE_FOR = 30.0
HEALED_WITHIN = 900.0
_LOOK_EVERY = 3.0
_STEPS = 30
_BETWEEN_TROUBLES = 1.0
_INSTALLATION = "ABCDEFGH"
_ENDED = {JobStatus.COMPLETED, JobStatus.COMPLETED_WITH_WARNINGS, JobStatus.CANCELLED}
_STOPPED = {JobStatus.FAILED, JobStatus.PAUSED, JobStatus.INTERRUPTED}

_PASSED_OVER = (
    select(rows.c.job_id, rows.c.row_number, rows.c.status, jobs.c.cursor)
    .join(jobs, jobs.c.job_id == rows.c.job_id)
    .where(
        rows.c.row_number <= jobs.c.cursor,
        rows.c.status.in_([status.value for status in states.UNSETTLED_ROWS]),
    )
)
_OF_REFERENCE = select(rows).where(rows.c.reference == bindparam("reference"))
_ALL_ROWS = select(rows).order_by(rows.c.job_id, rows.c.row_number)
_STATUSES = select(jobs.c.job_id, jobs.c.status).order_by(jobs.c.job_id)

Kind = Callable[[Premises, str], Running]


class House:
    """Processes on premises, the jobs they ship, and what must hold of them."""

    def __init__(self, seed: int, loop: SimulatedLoop, spool: Path, *, compare_and_set: bool) -> None:
        self.chance = Random(seed)
        self.loop = loop
        self.network = Network(loop, self.chance)
        self.server = Server(loop, self.network, self.clock, self.chance, compare_and_set=compare_and_set)
        settings = CarrierSettings(
            consistency=self.chance.choice(("immediate", "eventual")),
            settle_time=8,
            send_within=3,
            call_timeout=4,
            tcp_user_timeout=2,
            commit_margin=3,
        )
        books = CarrierBooks(self.network, self.clock, settings, self.on_send, self.on_sale)
        self.premises = Premises(self.server, books, SimulatedDatabase(self.chance, self.check), settings, spool)
        self.jobs: list[str] = []
        self.kinds: dict[str, Kind] = {"writeback": writeback}
        self.kinds |= {f"coordinator-{number}": coordinator for number in range(self.chance.choice((1, 2)))}
        self.kinds |= {f"shipper-{number}": shipper for number in range(self.chance.choice((1, 2, 3)))}
        self.running: dict[str, Running] = {}

    def clock(self) -> datetime:
        """The present moment, by the server's and the carrier's clock."""
        return BEGINNING + timedelta(seconds=self.loop.time())

    # What happens.

    async def live(self) -> None:
        """Ship everything, through trouble and after it."""
        for name in self.kinds:
            self.start(name)
        await self.take_in()
        while JobStatus.AWAITING_APPROVAL in self.statuses().values():
            await asyncio.sleep(self.chance.random())
            self.help_on()
        self.network.faulty = True
        end = self.loop.time() + TROUBLE_FOR
        while self.loop.time() < end and not self.is_settled():
            await asyncio.sleep(self.chance.expovariate(1 / _BETWEEN_TROUBLES))
            self.trouble()
        await self.heal()

    def start(self, name: str) -> None:
        """Start a process, for the first time or again."""
        if name not in self.running:
            self.running[name] = self.kinds[name](self.premises, name)

    async def take_in(self) -> None:
        """Take in one job or two over the same orders, and approve them."""
        orders = self.chance.randint(3, 9)
        for number in range(self.chance.choice((1, 1, 2))):
            request = JobRequest(
                request_id=f"orders-{number}",
                source=CsvSource(path="orders.csv"),
                mode=JobMode.CONFIRM,
                on_interrupt=self.chance.choice((InterruptPolicy.ASK, InterruptPolicy.RESUME)),
            )
            job_id = job_id_for(_INSTALLATION, request.request_id)
            batch = [NewRow(row, str(row), "sum", f"print-{row}", SHIPMENT) for row in range(1, orders + 1)]
            write, now = self.premises.database.write, self.clock()
            await write(intake.admit, job_id, request, request_hash(request), now)
            await write(intake.begin_intake, job_id, "intake", request.source, now)
            await write(intake.add_rows, job_id, "intake", _INSTALLATION, 1, batch, now)
            await write(intake.finish_intake, job_id, "intake", orders, "mapping", now)
            await write(intake.await_approval, job_id, "intake", now)
            self.jobs.append(job_id)

    def trouble(self) -> None:
        """One thing happens that nobody wants, or a person steps in."""
        happenings: tuple[tuple[float, Callable[[], object]], ...] = (
            (8, self.kill_one),
            (7, self.freeze_one),
            (0.7, self.lose_the_bus),
            (5, partial(self.step_in, "resume")),
            (0.4, partial(self.step_in, "pause")),
            (0.1, partial(self.step_in, "cancel")),
            (2, self.resolve_somehow),
        )
        weights = [weight for weight, _ in happenings]
        self.chance.choices([happening for _, happening in happenings], weights)[0]()

    def kill_one(self) -> None:
        """Kill -9, and start again after a while."""
        name = self.one_of(list(self.kinds))
        dying = self.running.get(name)

        def kill() -> None:
            if self.running.get(name) is dying and dying is not None and self.network.faulty:
                del self.running[name]
                dying.die()
                self.network.later(self.chance.uniform(0.1, 3), lambda: self.start(name))

        if dying is not None:
            dying.process.after(self.chance.randint(1, _STEPS), kill)

    def freeze_one(self) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if self.running:
            process = self.running[self.one_of(list(self.running))].process

            def freeze() -> None:
                process.frozen = self.network.faulty
                self.network.later(self.chance.choice((1, 1, 8, 25)) * self.chance.random(), lambda: _thaw(process))

            process.after(self.chance.randint(1, _STEPS), freeze)

    def one_of(self, names: list[str]) -> str:
        """A process, more often than not a shipper."""
        return self.chance.choices(names, [3 if name.startswith("shipper") else 1 for name in names])[0]

    def lose_the_bus(self) -> None:
        """The server is away for a while; now and then its store is gone when it is back."""
        self.server.down = True

        def back() -> None:
            if self.server.down:
                self.server.down = False
                if self.chance.random() < 0.5:
                    self.server.streams.clear()
                self.server.reconnect()

        self.network.later(self.chance.uniform(0.2, 4), back)

    def step_in(self, action: str) -> None:
        """A person gives an order."""
        self._order(self.chance.choice(self.jobs), action)

    def resolve_somehow(self) -> None:
        """A person says of a row in doubt that nothing was bought, whether they looked well or not."""
        doubtful = self.rows_in(RowStatus.IN_DOUBT)
        if doubtful:
            row = self.chance.choice(doubtful)
            self.resolve(row.job_id, row.row_number, None)

    def resolve(self, job_id: str, row_number: int, number: str | None) -> None:
        """A person settles a row in doubt."""
        finding = ResolveRow(job_id=job_id, row_number=row_number, tracking_number=number, by="a person")
        for one in self.coordinators()[:1]:
            assert one.control is not None
            one.connection.spawn(_said(partial(one.control.resolve, finding)))

    def coordinators(self) -> list[Running]:
        """The coordinators that answer, in an order of chance."""
        able = [one for one in self.running.values() if one.control is not None and not one.process.frozen]
        return self.chance.sample(able, len(able))

    async def heal(self) -> None:
        """No more trouble: everything runs, and a person tells the truth and resumes until all is done."""
        self.network.faulty = False
        if self.server.down:
            self.server.down = False
            self.server.reconnect()
        for name in self.kinds:
            self.start(name)
        for one in self.running.values():
            _thaw(one.process)
        end = self.loop.time() + HEALED_WITHIN
        while not self.is_settled():
            assert self.loop.time() < end, f"stuck: {self.describe()}"
            await asyncio.sleep(_LOOK_EVERY)
            self.help_on()
        self.check_books()

    def help_on(self) -> None:
        """What a person does who looks at the jobs now and then, and asks the carrier when nothing is on its way."""
        for job_id, status in self.statuses().items():
            if status is JobStatus.AWAITING_APPROVAL:
                self._order(job_id, "approve")
            elif status in _STOPPED and not self.rows_in(RowStatus.IN_DOUBT):
                self._order(job_id, "resume")
        if not self.premises.books.travelling:
            for row in self.rows_in(RowStatus.IN_DOUBT):
                sold = self.premises.books.numbers_of(row.reference)
                self.resolve(row.job_id, row.row_number, sold[0] if sold else None)

    def _order(self, job_id: str, action: str) -> None:
        order = (ApproveJob if action == "approve" else ControlJob)(job_id=job_id, by="a person")
        for one in self.coordinators()[:1]:
            one.connection.spawn(_said(partial(getattr(one.control, action), order)))

    # What must hold.

    def on_send(self, reference: str) -> None:
        """A request goes out: only for the row in flight, or under a claim that the row was abandoned with."""
        row = self.row_of(reference)
        abandoned = row.status == RowStatus.IN_DOUBT and (row.error or {}).get("code") == ABANDONED.code
        if not abandoned and row.status != RowStatus.IN_FLIGHT:
            self._violated(f"row {row.row_number} is called for although it is {row.status}")

    def on_sale(self, reference: str) -> None:
        """A label is sold: the first for its order, whichever job it is of."""
        row = self.row_of(reference)
        for sale in self.premises.books.sales[:-1]:
            if self.row_of(sale.reference).row_key == row.row_key:
                self._violated(f"order {row.row_key} is sold twice")

    def check(self, connection: Connection) -> None:
        """What holds after every transaction: no cursor is past an unsettled row."""
        passed = connection.execute(_PASSED_OVER).first()
        if passed is not None:
            self._violated(f"the cursor passed {passed}")

    def _violated(self, what: str) -> None:
        self.loop.fail(AssertionError(what))

    def is_settled(self) -> bool:
        """Whether every job is at its end, every row in its place and nothing on its way."""
        return (
            set(self.statuses().values()) <= _ENDED
            and not self.rows_in(RowStatus.IN_FLIGHT)
            and not self.rows_in(RowStatus.IN_DOUBT)
            and not any(row.write_back == WriteBackStatus.DUE or row.label_due for row in self.all_rows())
            and not self.premises.books.travelling
        )

    def check_books(self) -> None:
        """The carrier, the job database and the source agree, number by number."""
        for row in self.all_rows():
            sold = self.premises.books.numbers_of(row.reference)
            assert sold == (row.tracking_numbers or []), (
                f"row {row.row_number}: sold {sold}, has {row.tracking_numbers}"
            )
            _, written = self.premises.written.get((row.job_id, row.row_number), (0, None))
            assert ([written] if written else []) == sold, f"row {row.row_number}: sold {sold}, written {written}"
        for job_id, status in self.statuses().items():
            left = [row for row in self.all_rows() if row.job_id == job_id and row.status not in {"shipped", "skipped"}]
            assert status is JobStatus.CANCELLED or not left, f"job {job_id} is {status} with {left}"

    def statuses(self) -> dict[str, JobStatus]:
        """Each job's state."""
        found = self.premises.database.look(lambda connection: connection.execute(_STATUSES).all())
        return {job.job_id: JobStatus(job.status) for job in found}

    def all_rows(self) -> list[Any]:
        """Every row of every job."""
        return list(self.premises.database.look(lambda connection: connection.execute(_ALL_ROWS).all()))

    def rows_in(self, status: RowStatus) -> list[Any]:
        """The rows in a state."""
        return [row for row in self.all_rows() if row.status == status]

    def row_of(self, reference: str) -> Any:
        """The row with a reference."""
        place = {"reference": reference}
        return self.premises.database.look(lambda connection: connection.execute(_OF_REFERENCE, place).one())

    def describe(self) -> str:
        """Jobs and rows in a line."""
        states_of_rows = [f"{row.row_number}:{row.status}/{row.attempt}/{row.write_back}" for row in self.all_rows()]
        return f"{self.statuses()} {states_of_rows}"


def simulate(seed: int, *, compare_and_set: bool = True, tell: Callable[[str], object] = str) -> None:
    """Run the house by `seed`, if need be on a server that compares no sequences; `tell` hears how it ended.

    Raises AssertionError where something does not hold, or an error that nobody expects.
    """
    with tempfile.TemporaryDirectory() as folder:
        loop = SimulatedLoop(Random(seed))
        with governed(loop, seed):
            house = House(seed, loop, Path(folder), compare_and_set=compare_and_set)
            loop.run_until_over(house.live())
            tell(f"{loop.time():.6f} {house.describe()} {house.premises.books.sales}")


def _thaw(process: Process) -> None:
    process.frozen = False


async def _said(order: Callable[[], Awaitable[object]]) -> None:
    """An order may be refused, or its coordinator may be unable to follow it."""
    try:
        await order()
    except Exception:
        log.exception("an order was not carried out")
