"""Many jobs at once; the large run of it is in tests/cluster."""

from __future__ import annotations

from pathlib import Path

from tests.crash.many_jobs import ship_side_by_side
from tests.crash.rig import running_rig
from tests.crash.shapes import Shape


async def test_a_dozen_jobs_ship_side_by_side_each_in_order(tmp_path: Path) -> None:
    async with running_rig(tmp_path, Shape(coordinators=2, shippers=0, writebacks=1)) as rig:
        await ship_side_by_side(rig, jobs=12, rows=8, shippers=2, within=90)
