"""What taking a CSV file in costs: `make bench-intake`, or `python -m tests.bench.intake --rows 50000 1000000`.

Each file is read alone (encoding and dialect told, every row snapshotted, then streamed with number, key and checksum),
and then taken in as a coordinator does it: from the job's request to every order read, mapped, validated, warned of and
stored, ready to be rated. Into SQLite, and into PostgreSQL where a server can be had. Memory is that of all processes
that take part but the database server, at its peak. It must not grow by more than half from the smallest file to the
largest, and no file may take longer than a minute; the exit code says whether that holds. On a busy machine the seconds
say little: the load is printed beside them, and CPU seconds of all processes besides.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.bench.memory import processes_of, proportional_memory
from tests.integration.database_servers import postgres
from tests.samples import write_orders

MOST_GROWTH = 1.5
MOST_SECONDS = 60.0
_LOOK_EVERY = 1.0  # to look costs the process that is looked at some milliseconds
READ, SQLITE, POSTGRES = "read", "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Result:
    """One file: seconds, CPU seconds, and the peak memory in megabytes; `load` is the machine's, over a minute."""

    what: str
    rows: int
    file_mb: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    load: float


def measure(what: str, path: Path, folder: Path, server: str | None) -> Result:
    """Take `path` in, in a process of its own, whose memory is watched."""
    command = [sys.executable, "-m", "tests.bench.taking_in", "read" if what == READ else "take-in", str(path)]
    if what == SQLITE:
        command.append(f"sqlite:///{folder / f'{path.stem}.db'}")
    elif server is not None and what == POSTGRES:
        command.append(server)
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = 0.0
    while running.poll() is None:
        peak = max(peak, sum(proportional_memory(pid) for pid in processes_of(running.pid)))
        time.sleep(_LOOK_EVERY)
    told, _ = running.communicate()
    if running.returncode:
        raise SystemExit(f"{what} of {path.name} ended with {running.returncode}")
    *_, last = told.splitlines()
    return Result(
        what=what,
        file_mb=round(path.stat().st_size / 1e6, 1),
        peak_mb=round(peak, 1),
        load=round(os.getloadavg()[0], 1),
        **json.loads(last),
    )


@contextmanager
def database_server() -> Iterator[str | None]:
    """The URL of an empty PostgreSQL database for the job database; None where no server can be had."""
    try:
        with postgres() as server:
            name = f"bench_{uuid4().hex[:12]}"
            server.execute(f"CREATE DATABASE {name}")
            yield server.admin.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    except pytest.skip.Exception as skipped:
        print(f"PostgreSQL is left out: {skipped}")
        yield None


def main() -> int:
    """Measure, print a table, write build/bench-intake.json; 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 1_000_000])
    parser.add_argument("--what", nargs="+", default=[READ, SQLITE, POSTGRES], choices=[READ, SQLITE, POSTGRES])
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder, database_server() as server:
        paths = {rows: Path(folder, f"orders-{rows}.csv") for rows in sorted(options.rows)}
        for rows, path in paths.items():
            write_orders(path, rows)
        print("| | rows | file, MB | wall, s | CPU, s | peak memory, MB | load |\n|---|---|---|---|---|---|---|")
        for what in options.what:
            if what == POSTGRES and server is None:
                continue
            for path in paths.values():
                found = measure(what, path, Path(folder), server)
                results.append(found)
                cells = (what, found.rows, found.file_mb, found.wall_s, found.cpu_s, found.peak_mb, found.load)
                print(f"| {' | '.join(map(str, cells))} |", flush=True)
    growths = [_growth([found for found in results if found.what == what]) for what in {each.what for each in results}]
    print(f"\nPeak memory of the largest file: at most {max(growths):.2f} times the smallest one's.")
    target = Path("build/bench-intake.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")
    return int(max(growths) > MOST_GROWTH or any(result.wall_s > MOST_SECONDS for result in results))


def _growth(results: list[Result]) -> float:
    return results[-1].peak_mb / results[0].peak_mb


if __name__ == "__main__":
    sys.exit(main())
