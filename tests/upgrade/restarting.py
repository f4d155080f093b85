"""Every service of a house ends, and they start again in some order, while a job runs."""

from __future__ import annotations

from collections.abc import Sequence

from shared.contracts.states import InterruptPolicy
from tests.crash.checker import Expected, Verdict, check
from tests.crash.rig import Rig


async def ship_through_a_restart(rig: Rig, order: Sequence[str], *, seed: int) -> Verdict:
    """Ship ten orders; once some are shipped, stop every service and start one of each role in `order`."""
    await rig.set_faults({"match": {"path": "/ship"}, "fault": "latency", "ms": 100})
    batch = await rig.submit(10, seed=seed, on_interrupt=InterruptPolicy.RESUME)
    job_id = await rig.job_of(batch)
    await rig.until_row(job_id, 3)
    for process in rig.services:
        await process.stop()
    for role in order:
        await rig.processes[f"{role}-0"].start()
    await rig.until_settled(job_id)
    await rig.until_quiet()
    await rig.set_faults()
    return check(await rig.books(batch), Expected())
