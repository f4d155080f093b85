"""The services' own parts, wired as their composition roots wire them, each set in a process of the simulation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from nats.aio.client import Client

from services.coordinator.announcer import Announcer
from services.coordinator.control import Control
from services.coordinator.database import checks
from services.coordinator.database.engine import Database
from services.coordinator.handlers import Handlers as CoordinatorHandlers
from services.coordinator.preview.approval import Approval
from services.coordinator.running.closing import Closing
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.lookups import LookUps
from services.coordinator.running.presence import Heartbeat
from services.coordinator.running.progress import Progress
from services.coordinator.running.watchdog import Watchdog
from services.coordinator.running.withdrawal import Withdrawal
from services.shipper.handlers import Handlers as ShipperHandlers
from services.shipper.labels import LabelStore
from services.shipper.recording import Recorder
from services.shipper.recovery import Recovery
from services.shipper.shipping import Shipping
from services.shipper.spool import Spool
from services.shipper.voiding import Voiding
from shared.bus import topology
from shared.bus.ledger import Ledger
from shared.bus.parking import Parking
from shared.bus.publishing import Publisher, fresh_id
from shared.bus.service import acknowledge
from shared.contracts import subjects
from shared.contracts.commands import WritebackCommand
from shared.contracts.source import source_hash
from shared.contracts.writeback import RowWritten, SourceWritten
from shared.repeating import repeat
from shared.settings import CarrierSettings
from shared.telemetry import logger
from tests.simulation.house.bus import Connection, Server
from tests.simulation.house.carrier import CarrierBooks, SimulatedCarrier, SimulatedLabels
from tests.simulation.house.database import SimulatedDatabase
from tests.simulation.house.loop import Process

log = logger("simulation")

COMMAND_LIFETIME = timedelta(seconds=120)
WATCHDOG_INTERVAL = 5.0
STUCK_AFTER = 5.0
LOOK_AGAIN_AFTER = 60.0
RATES_HOLD = timedelta(minutes=15)
INTERRUPTED_AFTER = 15.0
_MANY = 1_000_000
_BIRTH = datetime.fromisoformat("2026-01-01T09:00:00+00:00")


@dataclass
class Premises:
    """What processes share: the server, the carrier, the job database, the spool's folder, the written file."""

    server: Server
    books: CarrierBooks
    database: SimulatedDatabase
    settings: CarrierSettings
    spool: Path
    written: dict[tuple[str, int], tuple[int, str | None]] = field(default_factory=dict)


class Running:
    """A process at work: its connection, its clock (never quite the others') and what it runs on the side."""

    def __init__(self, premises: Premises, name: str) -> None:
        self.premises = premises
        self.process = Process(name)
        self.connection = Connection(premises.server, self.process)
        self.skew = timedelta(seconds=premises.server.chance.uniform(-1, 1))
        self.client = cast("Client", self.connection)
        self.publisher = Publisher(cast("Any", self.connection))
        self.ledger = Ledger(self.client, self.publisher)
        self.control: Control | None = None

    def clock(self) -> datetime:
        """The present moment, as this machine has it."""
        return self.premises.server.clock() + self.skew

    def begin(self, start: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Bring the topology up and start; what fails at start (the bus is away) is tried again."""

        async def run() -> None:
            await self._apply_topology()
            await start()

        self.background(partial(_persist, run))
        self.background(partial(repeat, self._watch, every=2.0, log=log))

    async def _watch(self) -> None:
        """Bring the topology up again where a stream is gone, as shared/bus/upkeep.py does."""
        if not self.premises.server.down and len(self.premises.server.streams) < len(topology.streams(1)):
            await self._apply_topology()

    async def _apply_topology(self) -> None:
        await topology.apply(cast("Any", self.connection), clock=self.premises.server.clock)

    def background(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something on the side."""
        self.connection.spawn(run())

    def die(self) -> None:
        """Kill -9."""
        self.connection.close()
        self.premises.server.loop.kill(self.process)


async def _persist(run: Callable[[], Awaitable[None]]) -> None:
    done = False

    async def once() -> None:
        nonlocal done
        if not done:
            await run()
            done = True

    await repeat(once, every=1.0, log=log)


async def _nothing_to_replay(mark: int) -> int:
    """No database is put back to an earlier state in these lives."""
    return mark


def coordinator(premises: Premises, name: str) -> Running:
    """A coordinator as services/coordinator/app.py makes it, without intake."""
    me = Running(premises, name)
    database = cast("Database", premises.database)
    announcer = Announcer(me.publisher, database, me.clock)
    dispatcher = Dispatcher(me.publisher)
    ends = JobsAtTheirEnd()
    progress = Progress(database, dispatcher, announcer, me.ledger, me.clock, COMMAND_LIFETIME, ends)
    closing = Closing(ends, partial(_missing, premises), progress, me.clock)
    withdrawal = Withdrawal(database, dispatcher, progress, me.ledger, me.clock)
    nothing = cast("Any", None)
    handlers = CoordinatorHandlers(nothing, progress, withdrawal, me.ledger)
    lookups = LookUps(me.client, database, progress, me.clock, look_again_after=LOOK_AGAIN_AFTER)
    watchdog = Watchdog(database, me.ledger, dispatcher, progress, me.clock, stuck_after=STUCK_AFTER)
    heartbeat = Heartbeat(
        database,
        progress,
        me.ledger,
        me.clock,
        house_run="",
        counts_for=INTERRUPTED_AFTER,
        replay=_nothing_to_replay,
    )

    async def start() -> None:
        await heartbeat.arrive()
        me.connection.consume(topology.LEDGER_ENTRIES, handlers.ledger_entry)
        me.connection.consume(topology.WRITEBACK_OUTCOMES, handlers.source_written)
        me.connection.consume(topology.ABANDONED_COMMANDS, handlers.command_abandoned)
        me.control = Control(
            database,
            progress,
            me.ledger,
            withdrawal,
            lookups,
            restoring=nothing,
            verification=nothing,
            inspections=nothing,
            previews=nothing,
            approval=Approval(database, nothing, nothing, progress, me.clock, RATES_HOLD),
            clock=me.clock,
        )
        me.background(closing.run)
        me.background(partial(repeat, heartbeat.beat, every=heartbeat.pause, log=log))
        for healer in (watchdog, lookups):
            me.background(partial(repeat, healer.round, every=WATCHDOG_INTERVAL, log=log))

    me.begin(start)
    return me


async def _missing(premises: Premises, job_id: str) -> list[int]:
    """The rows of a job whose numbers do not stand in the written file."""
    expected = premises.database.look(checks.written_numbers, job_id, 0, _MANY)
    return [one.row_number for one in expected if premises.written[job_id, one.row_number][1] != one.number]


def shipper(premises: Premises, name: str) -> Running:
    """A shipper as services/shipper/app.py makes it."""
    me = Running(premises, name)
    carrier = SimulatedCarrier(premises.books)
    labels = cast("LabelStore", SimulatedLabels(premises.server.network))
    spool = Spool(premises.spool / name)
    label_within = timedelta(seconds=premises.settings.call_timeout)
    recorder = Recorder(carrier, labels, me.ledger, spool, me.clock, label_within=label_within)
    shipping = Shipping(
        carrier, premises.settings, recorder, me.ledger, me.publisher, me.clock, premises.server.loop.time
    )
    parking = Parking("shipper", me.publisher, me.clock)
    handlers = ShipperHandlers(shipping, Voiding(carrier, me.publisher, me.clock), me.publisher, parking)
    recovery = Recovery(carrier, recorder, me.ledger, me.clock)

    async def start() -> None:
        await me.ledger.refresh()
        me.background(partial(spool.deliver, me.ledger))
        me.connection.consume(topology.SHIP_COMMANDS, handlers.ship)
        me.connection.answer(subjects.LABELS_RECOVER, recovery.recover_label)
        me.connection.answer(subjects.SHIPMENTS_FIND, recovery.find_shipment)

    me.begin(start)
    return me


def writeback(premises: Premises, name: str) -> Running:
    """A writeback whose source is a dictionary: the greatest version of a row counts."""
    me = Running(premises, name)

    async def write_back(message: Any) -> None:
        command = WritebackCommand.model_validate_json(message.data)
        place = command.job_id, command.row_number
        value = command.row_version, command.values.tracking_number
        premises.written[place] = max(premises.written.get(place, (0, None)), value, key=lambda one: one[0])
        row = RowWritten(
            job_id=command.job_id,
            row_number=command.row_number,
            row_version=command.row_version,
            status="written",
        )
        digest = source_hash(command.source)
        written = SourceWritten(source_hash=digest, rows=(row,))
        subject = subjects.writeback_outcome(digest)
        await me.publisher.publish(subjects.OUTCOMES, subject, written, message_id=fresh_id())
        await acknowledge(message)

    async def start() -> None:
        me.connection.consume(topology.WRITEBACK_COMMANDS, write_back)

    me.begin(start)
    return me
