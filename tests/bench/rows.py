"""Rows per second and overhead per row: `make bench`, or `python -m tests.bench.rows --rows 200 --latency 0 20`.

A house ships a file for each carrier latency. Overhead is the job's wall time per row, from its start to its last
write-back, less the carrier call's own time as the shipper measured it (the ledger says it for every row). The plain
loop (plain_loop.py) does one row after the other over the same bus with the same carrier and none of the promises; it
runs right after, on the same machine, and the ratio of the two is the figure to compare.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import nats
import uvloop
from nats.aio.msg import Msg

from shared.contracts import subjects
from shared.contracts.ledger import Shipped, ledger_entry
from tests.bench.plain_loop import coordinate
from tests.bench.report import add_to_report
from tests.integration.house import House, running_house
from tests.samples import write_orders


@dataclass(frozen=True)
class Result:
    """One run; times in milliseconds per row."""

    latency_ms: int
    rows: int
    rows_per_second: float
    wall_ms: float
    carrier_ms: float
    overhead_ms: float
    plain_ms: float
    ratio: float


async def ship(house: House, rows: int) -> tuple[float, float]:
    """Ship a fresh file; wall and carrier milliseconds per row."""
    path = house.folder / f"bench-{time.time_ns()}.csv"
    write_orders(path, rows, seed=time.time_ns() % 1_000_000)
    calls: list[float] = []

    async def note(message: Msg) -> None:
        entry = ledger_entry.validate_json(message.data)
        if isinstance(entry, Shipped) and entry.carrier_ms is not None:
            calls.append(entry.carrier_ms)

    connection = await nats.connect(house.status["nats_url"])
    await connection.subscribe(subjects.ALL_LEDGER, cb=note)
    # The bench watches with one cheap subscription, so that it does not measure itself.
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def note_end(message: Msg) -> None:
        job_id, kind = message.subject.split(".")[2:]
        if kind in {"completed", "completed_with_warnings", "failed"} and not ended.done():
            ended.set_result(job_id)

    await connection.subscribe(subjects.ALL_EVENTS, cb=note_end)
    await asyncio.to_thread(house.submit, path)
    job = await asyncio.to_thread(house.json, "show", await asyncio.wait_for(ended, 60 + rows))
    await connection.drain()
    assert job["status"] == "completed", job
    wall = datetime.fromisoformat(job["ended_at"]) - datetime.fromisoformat(job["started_at"])
    return wall.total_seconds() * 1000 / rows, statistics.fmean(calls)


def measure(rows: int, latency_ms: int) -> Result:
    """One run in a house of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_house(Path(folder), TALLY_LATENCY_MS=str(latency_ms)) as house,
    ):
        uvloop.run(ship(house, min(rows, 50)))
        wall, carrier = uvloop.run(ship(house, rows))
        status = house.status
        plain = uvloop.run(coordinate(status["nats_url"], status["carrier_url"], min(rows, 300), Path(folder)))
    return Result(
        latency_ms=latency_ms,
        rows=rows,
        rows_per_second=round(1000 / wall, 1),
        wall_ms=round(wall, 2),
        carrier_ms=round(carrier, 2),
        overhead_ms=round(wall - carrier, 2),
        plain_ms=round(plain, 2),
        ratio=round((wall - carrier) / plain, 2),
    )


def main() -> None:
    """Measure, print a table, write build/bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 20, 200], help="the carrier's, in ms")
    options = parser.parse_args()
    print(
        "| carrier latency, ms | rows | rows/s | wall, ms/row | carrier call, ms | overhead, ms | plain loop, ms | x |"
    )
    print("|---|---|---|---|---|---|---|---|")
    results = []
    for latency in options.latency:
        result = measure(options.rows, latency)
        results.append(result)
        print(
            f"| {latency} | {result.rows} | {result.rows_per_second} | {result.wall_ms} | {result.carrier_ms} "
            f"| {result.overhead_ms} | {result.plain_ms} | {result.ratio} |",
            flush=True,
        )
    add_to_report("rows", [asdict(result) for result in results])


if __name__ == "__main__":
    main()
