"""A process that was frozen through a takeover and thawed later does no harm; nor does one that missed a lost store."""

import asyncio
import shutil

import pytest

from tests.crash import healing
from tests.crash.checker import Expected, check
from tests.crash.judging import frozen_at
from tests.crash.rig import Rig
from tests.crash.shapes import NATS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_a_frozen_coordinator_cannot_advance_the_cursor(several: Rig) -> None:
    result = await frozen_at(several, "coordinator.before_outcome_commit", seed=1)
    assert healing.REDELIVERY in result.healed_by


async def test_a_frozen_coordinators_late_command_buys_nothing(several: Rig) -> None:
    result = await frozen_at(several, "coordinator.before_ship_publish", seed=2)
    assert healing.REDELIVERY in result.healed_by


async def test_a_frozen_shipper_cannot_overwrite_an_outcome(several: Rig) -> None:
    result = await frozen_at(several, "shipper.before_outcome", seed=3)
    assert {healing.REDELIVERY, healing.FOUND, healing.FENCED} <= {*result.healed_by}


async def test_a_frozen_shipper_cannot_send_after_its_deadline(several: Rig) -> None:
    result = await frozen_at(several, "shipper.before_send", seed=4)
    assert {healing.REDELIVERY, healing.FENCED} <= {*result.healed_by}


async def test_a_shipper_frozen_in_the_middle_of_sending_does_not_complete_it(several: Rig) -> None:
    result = await frozen_at(several, "shipper.before_body", seed=5)
    assert {healing.REDELIVERY, healing.FENCED} <= {*result.healed_by}


async def test_a_frozen_writeback_neither_loses_nor_overwrites_a_number(several: Rig) -> None:
    await frozen_at(several, "writeback.before_replace", seed=6)


async def test_a_command_of_a_lost_epoch_is_dropped(several: Rig) -> None:
    """The shipper is about to claim when the store is lost; its claim lands in the new ledger, and it buys nothing."""
    await several.heal()
    bus = several.processes[NATS]
    for shipper in several.of_role("shipper"):
        await several.rearm(shipper.name, "shipper.before_claim=stop@1")
    batch = await several.submit(4, seed=7)
    frozen = await several.until(
        lambda: next((one for one in several.of_role("shipper") if one.life.stopped), None), "a shipper to claim"
    )
    bus.kill()
    await bus.death()
    shutil.rmtree(several.store)
    await bus.start()
    frozen.thaw()
    await asyncio.gather(*(several.rearm(one.name) for one in several.of_role("shipper") if one is not frozen))
    await several.until_settled(await several.job_of(batch))
    await frozen.stop()
    verdict = check(await several.books(batch), Expected(store_lost=True))
    assert verdict.holds, verdict
