"""A job that ships while something is done to the bus, and what its books then say."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.crash.checker import Expected, Verdict, check
from tests.crash.cluster import ClusterRig

SHIP = "/api/shipments/v2409/ship"
ALARMS = ("an order was sold twice", "unreadable message rejected", "an outcome fits no job")
_SETTLES_WITHIN = 240.0
_LOOK_EVERY = 0.05
_CALL_WITHIN = 30.0


@dataclass(frozen=True)
class Run:
    """How a job ended: the verdict on its books, and the longest time in seconds between two sales."""

    rows: int
    verdict: Verdict
    longest_pause: float


async def ship_through(
    rig: ClusterRig, rows: int, disturb: Callable[[], Awaitable[None]], *, seed: int, carrier_ms: int = 60
) -> Run:
    """Ship `rows` orders, `disturb` the bus once some are shipped, and wait for the job's end without helping it.

    Raises TimeoutError where it does not come to an end by itself.
    """
    await rig.set_faults({"match": {"path": "/ship"}, "fault": "latency", "ms": carrier_ms})
    batch = await rig.submit(rows, seed=seed)
    job_id = await rig.job_of(batch)
    await rig.until_row(job_id, 3)
    await disturb()
    await rig.until_settled(job_id, _SETTLES_WITHIN)
    await rig.until_quiet()
    books = await rig.books(batch)
    mine = {row.reference for row in books.job.rows}
    sold = sorted(sale.created_at for sale in books.sales if sale.reference in mine)
    pauses = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(sold)]
    return Run(rows, check(books, Expected()), max(pauses, default=0.0))


async def until_a_call_is_made(rig: ClusterRig) -> None:
    """Wait for the carrier to be asked for one more label, which it has not sold yet."""
    before = await _calls(rig)
    ends = asyncio.get_running_loop().time() + _CALL_WITHIN
    while await _calls(rig) == before:
        if asyncio.get_running_loop().time() > ends:
            raise TimeoutError("no label was asked for")
        await asyncio.sleep(_LOOK_EVERY)


async def _calls(rig: ClusterRig) -> int:
    return int((await rig.carrier("GET", "calls")).json().get(SHIP, 0))


def alarms(rig: ClusterRig) -> list[str]:
    """What the services said that must never be said."""
    return [
        line.text
        for process in rig.services
        for life in process.lives
        for line in life.lines
        if any(alarm in line.text for alarm in ALARMS)
    ]
