"""Rows per second and overhead per row: `make bench`, or `python -m tests.bench.rows --rows 200 --latency 0 20`.

A house ships a file for each carrier latency. Overhead is the job's wall time per row, from its start to its last
write-back, less the carrier call's own time as the shipper measured it (the ledger says it for every row). The floor
is what cannot be had for less in Python: one httpx call to the same carrier and one durable SQLite commit for each row.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import nats

from services.shipper.carriers.carrier import SendDeadline
from services.shipper.carriers.ups import UpsCarrier
from shared.clock import utc_now
from shared.contracts import subjects
from shared.contracts.ledger import Shipped, ledger_entry
from shared.settings import CarrierSettings
from tests.contract.messages import SHIPMENT
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
    floor_overhead_ms: float


async def ship(house: House, rows: int) -> tuple[float, float]:
    """Ship a fresh file; wall and carrier milliseconds per row."""
    path = house.folder / f"bench-{time.time_ns()}.csv"
    write_orders(path, rows, seed=time.time_ns() % 1_000_000)
    calls: list[float] = []

    async def note(message) -> None:
        entry = ledger_entry.validate_json(message.data)
        if isinstance(entry, Shipped) and entry.carrier_ms is not None:
            calls.append(entry.carrier_ms)

    connection = await nats.connect(house.status["nats_url"])
    await connection.subscribe(subjects.ALL_LEDGER, cb=note)
    job_id = await asyncio.to_thread(house.submit, path)
    job = await asyncio.to_thread(house.finished, job_id)
    await connection.drain()
    assert job["status"] == "completed", job
    wall = datetime.fromisoformat(job["ended_at"]) - datetime.fromisoformat(job["started_at"])
    return wall.total_seconds() * 1000 / rows, statistics.fmean(calls)


async def floor(carrier_url: str, rows: int, folder: Path) -> float:
    """The floor's overhead per row: call, commit, next."""
    database = sqlite3.connect(folder / "floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS rows (number INTEGER, tracking_number TEXT)")
    carrier = UpsCarrier(
        CarrierSettings(url=carrier_url, client_id="bench", client_secret="bench", account="TALLY1"), utc_now
    )
    await carrier.prepare()
    called = 0.0
    started = time.perf_counter()
    for number in range(rows):
        before = time.perf_counter()
        purchase = await carrier.buy(SHIPMENT, f"FLOOR{time.time_ns()}", SendDeadline(10))
        called += time.perf_counter() - before
        database.execute("INSERT INTO rows VALUES (?, ?)", (number, purchase.tracking_numbers[0]))
    wall = time.perf_counter() - started
    await carrier.close()
    database.close()
    return (wall - called) * 1000 / rows


def measure(rows: int, latency_ms: int) -> Result:
    """One run in a house of its own."""
    with tempfile.TemporaryDirectory() as folder, running_house(Path(folder), TALLY_LATENCY_MS=str(latency_ms)) as house:
        asyncio.run(ship(house, min(rows, 50)))
        wall, carrier = asyncio.run(ship(house, rows))
        floor_ms = asyncio.run(floor(house.status["carrier_url"], min(rows, 200), Path(folder)))
    return Result(
        latency_ms=latency_ms,
        rows=rows,
        rows_per_second=round(1000 / wall, 1),
        wall_ms=round(wall, 2),
        carrier_ms=round(carrier, 2),
        overhead_ms=round(wall - carrier, 2),
        floor_overhead_ms=round(floor_ms, 2),
    )


def main() -> None:
    """Measure, print a table, write build/bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 20, 200], help="the carrier's, in ms")
    options = parser.parse_args()
    print("| carrier latency, ms | rows | rows/s | wall, ms/row | carrier call, ms | overhead, ms | floor, ms |")
    print("|---|---|---|---|---|---|---|")
    results = []
    for latency in options.latency:
        result = measure(options.rows, latency)
        results.append(result)
        print(
            f"| {latency} | {result.rows} | {result.rows_per_second} | {result.wall_ms} | {result.carrier_ms} "
            f"| {result.overhead_ms} | {result.floor_overhead_ms} |",
            flush=True,
        )
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
