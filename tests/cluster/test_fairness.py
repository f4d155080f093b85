"""A large job does not starve a small one, in whatever it is doing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.many_jobs import following
from tests.crash.rig import Rig, running_rig
from tests.crash.shapes import ONE

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

LARGE = 20_000
LONG_INTAKES = 12
WITHIN = 600.0


async def small_job(rig: Rig, within: float = WITHIN) -> None:
    """Ship ten rows, to the end and into the file."""
    async with following(rig.client) as progress:
        batch = await rig.submit(10, seed=7)
        await progress.until_ended([batch.request_id], within)
        assert set(progress.ended.values()) == {"completed"}
        assert await rig.until_settled(progress.started[batch.request_id]) == "completed"


async def test_a_small_job_is_done_while_many_large_files_are_read(tmp_path: Path) -> None:
    async with running_rig(tmp_path, ONE) as rig, following(rig.client) as progress:
        for number in range(LONG_INTAKES):
            batch = await rig.submit(LARGE, seed=number + 1)
            await rig.job_of(batch)
        await small_job(rig)
        assert len(progress.started) <= LONG_INTAKES // 2, "it waited for few of the large files"


async def test_a_small_job_is_done_while_a_large_one_ships(tmp_path: Path) -> None:
    async with running_rig(tmp_path, ONE) as rig, following(rig.client) as progress:
        large = await rig.submit(LARGE, seed=1)
        await progress.until_started([large.request_id], WITHIN)
        await rig.until_row(progress.started[large.request_id], 5)
        await small_job(rig)
        assert large.request_id not in progress.ended
