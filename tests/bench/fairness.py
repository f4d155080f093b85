"""What a large job costs a small one beside it: `python -m tests.bench.fairness --large 100000`.

Ten-row jobs, one after the other: alone, while a large file is read, and while it ships. The figure to compare is the
ratio, for all three are measured in one run on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.report import add_to_report
from tests.crash.many_jobs import Progress, following
from tests.crash.rig import Batch, Rig, running_rig
from tests.crash.shapes import ONE

_WITHIN = 900.0
_ROWS = 10


async def _seconds(rig: Rig, progress: Progress) -> float:
    started = time.perf_counter()
    batch = await rig.submit(_ROWS, seed=time.time_ns() % 1_000_000)
    await progress.until_ended([batch.request_id], _WITHIN)
    return time.perf_counter() - started


async def _several(rig: Rig, progress: Progress, count: int, until: Batch | None = None) -> list[float]:
    """So many small jobs, or as many as there is time for until a job runs."""
    found: list[float] = []
    while len(found) < count and (until is None or until.request_id not in progress.started):
        found.append(await _seconds(rig, progress))
    return found


async def _measure(large: int, jobs: int) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        async with running_rig(Path(folder), ONE) as rig, following(rig.client) as progress:
            await _several(rig, progress, 2)
            alone = await _several(rig, progress, jobs)
            batch = await rig.submit(large, seed=1)
            await rig.job_of(batch)
            reading = await _several(rig, progress, jobs, batch)
            await progress.until_started([batch.request_id], _WITHIN)
            shipping = await _several(rig, progress, jobs)
            assert batch.request_id not in progress.ended
    return {"alone": alone, "while it is read": reading, "while it ships": shipping}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=100_000, help="rows of the large job")
    parser.add_argument("--jobs", type=int, default=10, help="small jobs of each kind")
    options = parser.parse_args()
    found = asyncio.run(_measure(options.large, options.jobs))
    alone = statistics.median(found["alone"])
    results = [
        {
            "beside": name,
            "jobs": len(times),
            "p50_s": round(statistics.median(times), 2),
            "max_s": round(max(times), 2),
            "ratio": round(statistics.median(times) / alone, 1),
        }
        for name, times in found.items()
        if times
    ]
    print(f"| a {_ROWS}-row job beside one of {options.large:,} rows | jobs | p50, s | max, s | x |")
    print("|---|---|---|---|---|")
    for result in results:
        print("| " + " | ".join(str(value) for value in result.values()) + " |")
    add_to_report("fairness", results)


if __name__ == "__main__":
    main()
