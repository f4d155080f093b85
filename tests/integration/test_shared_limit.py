"""Several shippers of one carrier account keep its limits together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import subjects
from shared.contracts.places import AccountPlaces
from tests.crash.bell import PATIENCE
from tests.crash.many_jobs import following
from tests.crash.rig import Rig, running_rig
from tests.crash.shapes import Shape

LIMIT = 4
SHAPE = Shape(
    shippers=3,
    extra=(("TALLY_CARRIER__MAX_CONCURRENCY", str(LIMIT)), ("TALLY_CARRIER__SEND_WITHIN", "20")),
)
SLOW = {"match": {"path": "/ship"}, "fault": "latency", "ms": 150}
# What was on its way when the carrier said 429 still arrives; this machine may be busy.
ON_ITS_WAY_MS = 700


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path, SHAPE) as rig:
        yield rig


async def places(rig: Rig) -> list[int]:
    """The places of each shipper that lives, as the register has them."""
    js = rig.client.jetstream(timeout=5)
    (subject,) = (await js.stream_info(subjects.PLACES, subjects_filter=subjects.ALL_PLACES)).state.subjects or {}
    message = await js.get_last_msg(subjects.PLACES, subject)
    return sorted(share.places for share in AccountPlaces.model_validate_json(message.data or b"").shares.values())


async def until_places(rig: Rig, *wanted: int) -> None:
    async with asyncio.timeout(PATIENCE):
        changes = await rig.client.subscribe(subjects.ALL_PLACES)
        while await places(rig) != sorted(wanted):
            await changes.next_msg(PATIENCE)
        await changes.unsubscribe()


async def load(rig: Rig) -> Any:
    return (await rig.carrier("GET", "load")).json()


async def test_three_shippers_never_make_more_calls_than_the_account_may_nor_before_it_rested(rig: Rig) -> None:
    await until_places(rig, 1, 1, 2)
    await rig.set_faults(SLOW)
    async with following(rig.client) as progress:
        batches = [await rig.submit(10, seed=number + 1) for number in range(9)]
        requests = [batch.request_id for batch in batches]
        await progress.until_started(requests, PATIENCE)
        for batch in batches[:3]:
            await rig.until_row(await rig.job_of(batch), 3)
        rig.processes["shipper-1"].kill()
        await until_places(rig, 2, 2)
        # Two are left, and told once to rest.
        await rig.set_faults(SLOW, {"match": {"path": "/ship", "times": 1}, "fault": "rate_limit", "retry_after": 3})
        await progress.until_ended(requests, PATIENCE)
    assert set(progress.ended.values()) == {"completed"}
    (limited,) = [fault for fault in (await rig.carrier("GET", "faults")).json() if fault["fault"] == "rate_limit"]
    told = await load(rig)
    assert limited["hits"] == 1
    assert told["ships"]["most"] == LIMIT
    assert [early for early in told["early"] if early > ON_ITS_WAY_MS] == []
    sold = await rig.sold()
    assert len({sale.reference for sale in sold}) == len(sold) == 90
    await rig.processes["shipper-2"].stop()
    await until_places(rig, LIMIT)
