"""200 jobs of 50 rows at once, over 2 coordinators, 4 shippers and 2 writebacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.many_jobs import ship_side_by_side
from tests.crash.rig import running_rig
from tests.crash.shapes import Shape
from tests.integration.database_servers import postgres

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


async def test_200_jobs_ship_side_by_side_each_in_order(tmp_path: Path) -> None:
    async with running_rig(tmp_path, Shape(coordinators=2, shippers=0, writebacks=2)) as rig:
        await ship_side_by_side(rig, jobs=200, rows=50, shippers=4, within=1500)


async def test_so_they_do_with_postgresql_as_the_job_database(tmp_path: Path) -> None:
    with postgres() as server:
        server.execute("CREATE DATABASE many_jobs")
        url = server.admin.set(drivername="postgresql", database="many_jobs")
        address = ("TALLY_DATABASE_URL", url.render_as_string(hide_password=False))
        shape = Shape(coordinators=2, shippers=0, writebacks=2, extra=(address,))
        async with running_rig(tmp_path, shape) as rig:
            await ship_side_by_side(rig, jobs=200, rows=50, shippers=4, within=1500)
