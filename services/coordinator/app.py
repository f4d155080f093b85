"""The coordinator's composition root: the only place that wires it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from services.coordinator.announcer import Announcer
from services.coordinator.control import Control
from services.coordinator.database.engine import Database
from services.coordinator.database.migration import prepare
from services.coordinator.database.reach import is_within_reach
from services.coordinator.handlers import Handlers
from services.coordinator.intake.batch import IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.inspection import Inspections
from services.coordinator.intake.intake import Intake
from services.coordinator.intake.judges import Judges
from services.coordinator.intake.resubmission import Resubmission
from services.coordinator.intake.submission import Submission
from services.coordinator.intake.taking_in import TakingIn
from services.coordinator.mapping.shipment import Defaults, Senders
from services.coordinator.preview.approval import Approval
from services.coordinator.preview.comparing import Comparisons
from services.coordinator.preview.preview import Previews
from services.coordinator.pricing.address_checks import Directory
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.job_pricing import JobPricing
from services.coordinator.pricing.price_guard import PriceGuard
from services.coordinator.records.auditing import Auditing
from services.coordinator.records.purging import Purging
from services.coordinator.records.reporting import Reporting
from services.coordinator.running.closing import Closing
from services.coordinator.running.dispatch import Dispatcher
from services.coordinator.running.ends import JobsAtTheirEnd
from services.coordinator.running.lookups import LookUps
from services.coordinator.running.observing import EVERY, Observation, begin_at_nought
from services.coordinator.running.presence import Heartbeat
from services.coordinator.running.progress import Progress
from services.coordinator.running.replay import replay
from services.coordinator.running.watchdog import Watchdog
from services.coordinator.running.withdrawal import Withdrawal
from services.coordinator.sources.checker import SourceChecker
from services.coordinator.sources.restoring import Restoring
from services.coordinator.sources.verification import Verification
from shared.bus import topology
from shared.bus.ledger import Ledger
from shared.bus.service import Service
from shared.clock import utc_now
from shared.contracts import subjects
from shared.health.checks import roots_are_there
from shared.repeating import repeat
from shared.settings import CoordinatorSettings, load
from shared.sources.database_address import connections_into
from shared.sources.database_connection import Connections
from shared.sources.rows_folder import remove_leftovers
from shared.telemetry import logger

log = logger("healing")

# Those in hand, most of which are long ones that wait for their turn (intake/turns.py).
_REQUESTS_AT_ONCE = 32
_REPORTS_AT_ONCE = 8
_OUTCOMES_AT_ONCE = 256
_CHECKS_AT_ONCE = 2
_LEDGER_EVERY = 1.0  # seconds after which a ledger that was put back is noticed


def main() -> None:
    """Run a coordinator until it is told to stop."""
    settings = load(CoordinatorSettings)
    _prepare_folders(settings)
    connections = Connections(settings.connections)
    database = _database(settings)
    service = _service(settings, database)
    heartbeats: list[Heartbeat] = []

    async def start() -> None:
        installation = await prepare(database, migrates=settings.migrate, patience=settings.database_wait)
        ledger = Ledger(service.client, service.publisher)
        announcer = Announcer(service.publisher, database, utc_now)
        dispatcher = Dispatcher(service.publisher)
        ends = JobsAtTheirEnd()
        progress = Progress(
            database,
            dispatcher,
            announcer,
            ledger,
            utc_now,
            timedelta(seconds=settings.command_lifetime),
            ends,
            PriceGuard(settings.price_guard),
        )
        checker = SourceChecker(database, settings.source_roots, connections)
        closing = Closing(ends, checker.missing, progress, utc_now)

        intake = Intake(
            IntakeSettings(
                source_roots=settings.source_roots,
                connections=connections,
                senders=Senders(settings.ship_from, settings.warehouses),
                defaults=Defaults(settings.default_weight, settings.default_size, settings.default_origin),
                max_rows=settings.max_rows,
            ),
            History(database, utc_now),
        )

        estimator = Estimator(service.client, settings.preview_budget)
        directory = Directory(service.client, settings.preview_budget, off=not settings.check_addresses)
        pricing = JobPricing(database, estimator, directory, announcer, utc_now)
        submission = Submission(
            installation,
            database,
            TakingIn(installation, database, intake, Judges(settings.intake_processes), utc_now),
            pricing,
            progress,
            announcer,
            ledger,
            utc_now,
        )
        withdrawal = Withdrawal(database, dispatcher, progress, ledger, utc_now)
        handlers = Handlers(submission, progress, withdrawal, ledger)
        lookups = LookUps(service.client, database, progress, utc_now, look_again_after=settings.look_again_after)
        restoring = Restoring(service.client, database, progress, utc_now)
        verification = Verification(database, checker, progress, utc_now)
        rates_hold = timedelta(seconds=settings.rates_hold)
        approval = Approval(database, intake, estimator, progress, utc_now, rates_hold)
        auditing = Auditing(database)
        comparisons = Comparisons(intake, estimator, service.client)
        reporting = Reporting(database)
        purging = Purging(service.client, service.publisher, database, progress, ledger, utc_now)
        control = Control(
            database,
            progress,
            ledger,
            withdrawal,
            lookups,
            restoring,
            verification,
            Inspections(intake, service.client),
            Previews(intake, estimator, directory, service.client),
            approval,
            utc_now,
        )
        watchdog = Watchdog(
            database,
            ledger,
            dispatcher,
            progress,
            utc_now,
            stuck_after=settings.stuck_after,
        )
        heartbeat = Heartbeat(
            database,
            progress,
            ledger,
            utc_now,
            house_run=settings.house_run,
            counts_for=settings.interrupted_after,
            replay=partial(replay, service.js, database, progress),
        )
        await heartbeat.arrive()
        heartbeats.append(heartbeat)
        service.consume(
            topology.JOB_REQUESTS, handlers.job_request, concurrency=_REQUESTS_AT_ONCE, room=lambda: submission.room
        )
        service.consume(topology.LEDGER_ENTRIES, handlers.ledger_entry, concurrency=_OUTCOMES_AT_ONCE)
        service.consume(topology.WRITEBACK_OUTCOMES, handlers.source_written, concurrency=_REPORTS_AT_ONCE)
        service.consume(topology.ABANDONED_COMMANDS, handlers.command_abandoned, concurrency=_REPORTS_AT_ONCE)
        service.consume(topology.VOID_OUTCOMES, handlers.void_outcome, concurrency=_REPORTS_AT_ONCE)
        answering = (control, comparisons, auditing, reporting, purging)
        for name, call in (call for answerer in answering for call in answerer.calls().items()):
            service.answer(subjects.api(name), call)
        service.answer(subjects.LEDGER_KNOWN, handlers.known_ledger)
        service.background(announcer.run)
        for _ in range(_CHECKS_AT_ONCE):
            service.background(closing.run)
        for action, every in (
            (ledger.keep_up, _LEDGER_EVERY),
            (heartbeat.beat, heartbeat.pause),
            (watchdog.round, settings.watchdog_interval),
            (lookups.round, settings.watchdog_interval),
            (Resubmission(database, progress, utc_now).round, settings.watchdog_interval),
        ):
            service.background(partial(repeat, action, every=every, log=log))

    service.run(start, partial(_end, heartbeats, connections, database))


def _prepare_folders(settings: CoordinatorSettings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    remove_leftovers()


async def _end(heartbeats: Sequence[Heartbeat], connections: Connections, database: Database) -> None:
    for heartbeat in heartbeats:
        await heartbeat.leave()
    connections.close()
    await database.close()


def _service(settings: CoordinatorSettings, database: Database) -> Service:
    """A service that is ready only where the job database and the sources are within reach, and tells its figures."""
    service = Service("coordinator", settings, owns_topology=True)
    service.require("database", partial(is_within_reach, database))
    service.require("source_roots", partial(roots_are_there, settings.source_roots))
    begin_at_nought()
    if settings.http.port:
        service.background(partial(repeat, Observation(database, utc_now).round, every=EVERY, log=log))
    return service


def _database(settings: CoordinatorSettings) -> Database:
    url = settings.job_database_url
    return Database(url, connections_into(url, settings.connections), pool_size=settings.database_pool)
