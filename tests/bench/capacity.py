"""What a row costs each process and each store: `make bench-capacity`, the figures of docs/runbook.md's capacity model.

Several jobs run side by side in one house, so that processes are as busy as on a full day. Processor time is each
process's own (user and system), so that other work on the machine changes it little.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import nats
import psutil
from nats.aio.msg import Msg

from shared.contracts import subjects
from shared.contracts.events import EventType
from tests.bench.report import add_to_report
from tests.integration.house import House, running_house
from tests.samples import write_orders

ENDS = {EventType.COMPLETED, EventType.COMPLETED_WITH_WARNINGS, EventType.FAILED}
STREAMS = (subjects.LEDGER, subjects.EVENTS)


@dataclass(frozen=True)
class Capacity:
    """One run: processor milliseconds and bytes for each row, and rows a second over all jobs."""

    jobs: int
    rows: int
    latency_ms: int
    rows_per_second: float
    milliseconds: dict[str, float]
    bytes: dict[str, float]


def processor_times(house: House) -> dict[str, float]:
    """Seconds that each service, and the NATS server, have used the processor."""
    named = {service["name"]: service["pid"] for service in house.status["services"] if service["pid"]}
    return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in named.items()}


async def stream_bytes(house: House) -> dict[str, float]:
    """Bytes in each stream that keeps what it was told."""
    connection = await nats.connect(house.status["nats_url"])
    try:
        js = connection.jetstream()
        return {name: (await js.stream_info(name)).state.bytes for name in STREAMS}
    finally:
        await connection.close()


def size_of(path: Path) -> float:
    """Bytes of a file and its companions (jobs.db-wal, say), or of everything in a folder."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.name}*")
    return float(sum(file.stat().st_size for file in files if file.is_file()))


def store_bytes(house: House) -> dict[str, float]:
    """Bytes in each store."""
    folders = {"jobs.db": house.data_dir / "jobs.db", "labels": house.data_dir / "labels"}
    return {name: size_of(path) for name, path in folders.items()} | asyncio.run(stream_bytes(house))


async def ship(house: House, paths: list[Path], patience: float) -> None:
    """Ship the files side by side, to the last one's end."""
    connection = await nats.connect(house.status["nats_url"])
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def note(message: Msg) -> None:
        job_id, kind = message.subject.split(".")[2:]
        if kind in ENDS:
            ended.put_nowait(job_id)

    try:
        await connection.subscribe(subjects.ALL_EVENTS, cb=note)
        async with asyncio.timeout(patience):
            await asyncio.gather(*(asyncio.to_thread(house.submit, path) for path in paths))
            for _ in paths:
                await ended.get()
    finally:
        await connection.close()


def measure(jobs: int, rows: int, latency_ms: int) -> Capacity:
    """Ship `jobs` files of `rows` orders side by side."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_house(Path(folder), TALLY_LATENCY_MS=str(latency_ms)) as house,
    ):
        paths = [house.folder / f"bench-{number}.csv" for number in range(jobs)]
        for number, path in enumerate(paths):
            write_orders(path, rows, seed=number + 1)
        before, stored_before = processor_times(house), store_bytes(house)
        began = time.monotonic()
        asyncio.run(ship(house, paths, patience=60 + jobs * rows))
        took = time.monotonic() - began
        assert all(job["status"] == "completed" for job in house.json("jobs")), house.json("jobs")
        after, stored_after = processor_times(house), store_bytes(house)
    total = jobs * rows
    return Capacity(
        jobs,
        rows,
        latency_ms,
        round(total / took, 1),
        {name: round((after[name] - before[name]) * 1000 / total, 2) for name in after},
        {name: round((stored_after[name] - stored_before[name]) / total) for name in stored_after},
    )


def main() -> None:
    """Measure, print two tables, keep the figures in build/bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--rows", type=int, default=250)
    parser.add_argument("--latency", type=int, default=20)
    given = parser.parse_args()
    found = measure(given.jobs, given.rows, given.latency)
    print(f"{found.jobs} jobs of {found.rows} rows, {found.latency_ms} ms a call: {found.rows_per_second} rows/s\n")
    print("| process | processor, ms a row |\n|---|---|")
    for name, milliseconds in found.milliseconds.items():
        print(f"| {name} | {milliseconds} |")
    print("\n| store | bytes a row |\n|---|---|")
    for name, size in found.bytes.items():
        print(f"| {name} | {size:,.0f} |")
    add_to_report("capacity", [asdict(found)])


if __name__ == "__main__":
    main()
