"""One measured process of `tests.bench.intake`: reads a file, or takes it in as a coordinator does."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from services.coordinator.database import intake as admission
from services.coordinator.database.engine import Database
from services.coordinator.database.migration import prepare
from services.coordinator.identity import job_id_for, request_hash
from services.coordinator.intake.batch import IntakeSettings
from services.coordinator.intake.history import History
from services.coordinator.intake.intake import Intake
from services.coordinator.intake.judges import Judges
from services.coordinator.intake.taking_in import TakingIn
from services.coordinator.intake.turns import IntakeTurns
from services.coordinator.mapping import Defaults, Senders
from shared.clock import utc_now
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.settings import SANDBOX_SHIP_FROM
from shared.sources.csv import open_csv
from shared.sources.database_connection import Connections


def read(path: Path) -> int:
    """Tell encoding and dialect, snapshot every row, stream them with number, key and checksum; how many."""
    with open_csv(path) as snapshot:
        return sum(1 for row in snapshot.rows() if row.checksum)


async def take_in(path: Path, database_url: str) -> tuple[int, float]:
    """Make a job of the file: how many rows are stored, and the seconds from its request to the last of them."""
    database = Database(database_url)
    try:
        installation = await prepare(database)
        settings = IntakeSettings(
            source_roots=(path.parent,),
            connections=Connections({}),
            senders=Senders(SANDBOX_SHIP_FROM),
            defaults=Defaults(),
            max_rows=1_000_000,
        )
        taking_in = TakingIn(installation, database, Intake(settings, History(database, utc_now)), Judges(), utc_now)
        started = time.perf_counter()
        request = JobRequest(request_id=path.name, source=CsvSource(path=str(path)))
        job_id = job_id_for(installation, request.request_id)
        await database.write(admission.admit, job_id, request, request_hash(request), utc_now())
        with IntakeTurns().begin() as turn:
            stored = await taking_in.take_in(job_id, "intake", request, turn)
        return stored, time.perf_counter() - started
    finally:
        await database.close()


def main() -> None:
    """`read PATH` or `take-in PATH DATABASE_URL`: prints rows, seconds and CPU seconds as JSON."""
    what, path = sys.argv[1], Path(sys.argv[2])
    started = time.perf_counter()
    if what == "read":
        rows = read(path)
        seconds = time.perf_counter() - started
    else:
        rows, seconds = asyncio.run(take_in(path, sys.argv[3]))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    print(json.dumps({"rows": rows, "wall_s": round(seconds, 1), "cpu_s": round(cpu, 1)}))


if __name__ == "__main__":
    main()
