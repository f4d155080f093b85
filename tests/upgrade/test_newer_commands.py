"""A coordinator of a release to come: its commands wait, unbought, for a shipper that reads them."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.checker import Expected, check
from tests.crash.shapes import Shape
from tests.upgrade.releases import NEXT, MixedRig

pytestmark = pytest.mark.timeout(400)

PARKED = "a message of a newer version waits"


async def test_commands_of_a_newer_version_are_neither_bought_nor_lost_until_a_shipper_reads_them(
    tmp_path: Path,
) -> None:
    newer = dict.fromkeys(("coordinator-0", "shipper-1"), NEXT)
    rig = MixedRig(
        tmp_path, Shape(coordinators=2, shippers=2), later=frozenset({"coordinator-1", "shipper-1"}), releases=newer
    )
    async with rig:
        batch = await rig.submit(4, seed=1)
        job_id = await rig.job_of(batch)
        older = rig.processes["shipper-0"].life
        await rig.bell.until(lambda: older.said(PARKED), "the older shipper to park the command")
        await rig.processes["coordinator-1"].start()
        await rig.bell.until(
            lambda: sum(PARKED in line.text for line in older.lines) >= 3, "the command to come again and again"
        )
        assert await rig.sold() == ()
        assert rig.database.job(job_id).rows[0].status == "in_flight"
        await rig.processes["shipper-1"].start()
        async with asyncio.timeout(300):
            assert await rig.until_settled(job_id, 300) == "completed"
        await rig.until_quiet()
        assert check(await rig.books(batch), Expected()).holds
