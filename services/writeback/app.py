"""Writeback's composition root: the only place that wires it."""

from __future__ import annotations

from functools import partial

from services.writeback.flushing import Flusher, Rest, Writer
from services.writeback.handlers import Handlers
from services.writeback.restoring import Restorer
from services.writeback.targets.backups import Backups
from services.writeback.targets.csv import CsvTarget
from services.writeback.targets.database import DatabaseTarget
from services.writeback.targets.excel import ExcelTarget
from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.sidecar import SidecarTarget
from shared.bus import topology
from shared.bus.service import Service
from shared.clock import utc_now
from shared.contracts import subjects
from shared.health.checks import roots_are_there
from shared.settings import WritebackSettings, load
from shared.sources.database_connection import Connections

# Each waiting row holds a place; far more may wait than one flush takes.
_ROWS_AT_ONCE = 2000


def main() -> None:
    """Run a writeback until it is told to stop."""
    settings = load(WritebackSettings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    service = Service("writeback", settings, needs=(topology.WRITEBACK_COMMANDS,))
    connections = Connections(settings.connections)

    service.require("source_roots", partial(roots_are_there, settings.source_roots))

    async def start() -> None:
        roots = settings.source_roots
        usual = Rest(settings.pace, settings.min_wait, settings.max_wait)
        slow = Rest(settings.excel_pace, settings.min_wait, settings.excel_max_wait)
        locks = SourceLocks(settings.data_dir / "locks")
        backups = Backups(settings.backups, utc_now)
        csv, excel = CsvTarget(roots, locks, backups), ExcelTarget(roots, locks, backups)
        flusher = Flusher(
            {
                "csv": Writer(csv, usual),
                "excel": Writer(excel, slow),
                "sidecar": Writer(SidecarTarget(roots, locks), usual),
                "database": Writer(DatabaseTarget(connections, utc_now), usual),
            },
            service.publisher,
            max_batch=settings.max_batch,
        )
        handlers = Handlers(flusher, Restorer(roots, locks, backups, {"csv": csv, "excel": excel}))
        service.consume(topology.WRITEBACK_COMMANDS, handlers.write_back, concurrency=_ROWS_AT_ONCE)
        service.answer(subjects.SOURCES_RESTORE, handlers.restore)

    async def stop() -> None:
        connections.close()

    service.run(start, stop)
