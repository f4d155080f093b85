"""What taking a CSV file in costs: `make bench-intake`, or `python -m tests.bench.intake --rows 50000 1000000`.

Each file is read in a process of its own: encoding and dialect told, every row snapshotted, then all of them streamed
with number, key and checksum. Peak memory must not grow by more than half from the smallest file to the largest, and no
file may take longer than a minute; the exit code says whether that holds. On a busy machine read CPU seconds instead.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.sources.csv import open_csv
from tests.samples import write_orders

MOST_GROWTH = 1.5
MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Result:
    """One file: its size in megabytes, seconds, and the reading process's peak memory in megabytes."""

    rows: int
    file_mb: float
    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(path: Path) -> Result:
    """Take `path` in, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.intake", "--take-in", str(path)]
    return Result(**json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout))


def take_in(path: Path) -> Result:
    """Take `path` in, in this process."""
    started, worked = time.perf_counter(), time.process_time()
    with open_csv(path) as snapshot:
        rows = sum(1 for row in snapshot.rows() if row.checksum)
    return Result(
        rows=rows,
        file_mb=round(path.stat().st_size / 1e6, 1),
        wall_s=round(time.perf_counter() - started, 1),
        cpu_s=round(time.process_time() - worked, 1),
        peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def main() -> int:
    """Measure, print a table, write build/bench-intake.json; 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 1_000_000])
    parser.add_argument("--take-in", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.take_in is not None:
        print(json.dumps(asdict(take_in(options.take_in))))
        return 0
    print("| rows | file, MB | wall, s | CPU, s | peak memory, MB |\n|---|---|---|---|---|")
    results = []
    for rows in sorted(options.rows):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "orders.csv")
            write_orders(path, rows)
            result = measure(path)
        results.append(result)
        print(f"| {result.rows} | {result.file_mb} | {result.wall_s} | {result.cpu_s} | {result.peak_mb} |", flush=True)
    growth = results[-1].peak_mb / results[0].peak_mb
    print(f"\nPeak memory of the largest file: {growth:.2f} times the smallest one's.")
    target = Path("build/bench-intake.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")
    return int(growth > MOST_GROWTH or any(result.wall_s > MOST_SECONDS for result in results))


if __name__ == "__main__":
    sys.exit(main())
