"""What a backlog of job requests costs: `python -m tests.bench.backlog --requests 10000`.

Requests for one small file are queued while no coordinator is there, then two coordinators work on them for a while.
The table says what memory each process has before, with the backlog, and while it is worked on.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
import uuid
from pathlib import Path

import psutil

from shared.bus.publishing import Publisher
from shared.contracts import subjects
from shared.contracts.api import JobList, Reply
from shared.contracts.requests import JobRequest
from shared.contracts.source import CsvSource
from shared.contracts.states import JobMode
from tests.bench.report import add_to_report
from tests.crash.rig import Rig, running_rig
from tests.crash.shapes import Shape
from tests.samples import write_orders

_WARMING = 16
_AT_ONCE = 100
_MEGABYTE = 1_000_000
_LOOK_EVERY = 0.5


def _memory(rig: Rig) -> dict[str, float]:
    return {
        name: round(psutil.Process(process.pid).memory_info().rss / _MEGABYTE)
        for name, process in rig.processes.items()
        if process.alive
    }


async def _queue(rig: Rig, name: str, requests: int) -> None:
    path = rig.orders / f"{name}.csv"
    write_orders(path, 10, seed=1)
    publisher = Publisher(rig.client.jetstream(timeout=10))

    async def one(number: int) -> None:
        request = JobRequest(
            request_id=f"{name}-{number}",
            name=f"{name} {number}",
            source=CsvSource(path=str(path)),
            mode=JobMode.CONFIRM,
        )
        await publisher.publish(subjects.REQUESTS, subjects.SUBMIT, request, message_id=uuid.uuid4().hex)

    for start in range(0, requests, _AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(start, min(start + _AT_ONCE, requests))))


async def _waiting(rig: Rig) -> int:
    return (await rig.client.jetstream(timeout=10).stream_info(subjects.REQUESTS)).state.messages


async def _page_ms(rig: Rig) -> float:
    """How long `tally jobs` waits for its answer, in milliseconds."""
    started = time.perf_counter()
    answer = await rig.client.request(subjects.api("list"), b'{"limit": 50}', timeout=30)
    took = (time.perf_counter() - started) * 1000
    listed = JobList.model_validate(Reply.model_validate_json(answer.data).result)
    assert len(listed.jobs) <= 50
    return round(took, 1)


async def _measure(requests: int, seconds: float) -> None:
    shape = Shape(coordinators=2, shippers=1, writebacks=1, extra=(("TALLY_PREVIEW_BUDGET", "5"),))
    with tempfile.TemporaryDirectory() as folder:
        async with running_rig(Path(folder), shape) as rig:
            # What a process loads for its first jobs is not what a backlog costs.
            await _queue(rig, "first", _WARMING)
            await rig.until_quiet()
            before = _memory(rig)
            for process in rig.of_role("coordinator"):
                await process.stop()
            await _queue(rig, "backlog", requests)
            queued = _memory(rig)
            for process in rig.of_role("coordinator"):
                await process.start()
            most: dict[str, float] = {}
            ends = time.monotonic() + seconds
            while time.monotonic() < ends and await _waiting(rig):
                for name, megabytes in _memory(rig).items():
                    most[name] = max(most.get(name, 0), megabytes)
                await asyncio.sleep(_LOOK_EVERY)
            left, page = await _waiting(rig), await _page_ms(rig)
    print(f"{requests} requests queued; after {seconds:g} s {left} are left; a page of 50 jobs takes {page} ms")
    print("| process | before, MB | with the backlog, MB | at most meanwhile, MB |\n|---|---|---|---|")
    for name, megabytes in before.items():
        print(f"| {name} | {megabytes:g} | {queued.get(name, 0):g} | {most.get(name, 0):g} |")
    results = [
        {"process": name, "before_mb": before[name], "queued_mb": queued.get(name), "most_mb": most.get(name)}
        for name in before
    ]
    add_to_report("backlog", results)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long coordinators work on them")
    options = parser.parse_args()
    asyncio.run(_measure(options.requests, options.seconds))


if __name__ == "__main__":
    main()
