"""The rows of DESIGN §4's crash table for writeback and for the bus's store."""

import shutil

import pytest

from shared.failpoints import FailPoint
from tests.crash import healing
from tests.crash.cases import Case, Fault
from tests.crash.checker import Expected, check
from tests.crash.judging import kept, killed_at
from tests.crash.rig import Rig
from tests.crash.shapes import NATS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("point", ["writeback.before_replace", "writeback.after_replace", "writeback.before_ack"])
async def test_writeback_dies_anywhere_and_redelivery_applies_it_again(one: Rig, point: FailPoint) -> None:
    result = await killed_at(one, point, nth=1, seed=1)
    assert healing.REDELIVERY in result.healed_by


async def test_the_bus_loses_its_store_and_the_outcome_in_hand_is_recorded_all_the_same(one: Rig) -> None:
    result = await kept(one, Case(Fault.LOSE_STORE, "nats", several=False, row=2), 2)
    assert healing.TOPOLOGY in result.healed_by


async def test_store_and_shipper_are_lost_after_the_call_and_the_watchdog_has_the_label_looked_up(one: Rig) -> None:
    await one.heal()
    bus = one.processes[NATS]
    shipper = await one.rearm("shipper-0", "shipper.after_call=kill@2")
    batch = await one.submit(4, seed=3)
    await shipper.death()
    bus.kill()
    await bus.death()
    shutil.rmtree(one.store)
    await bus.start()
    await shipper.start()
    await one.until_settled(await one.job_of(batch))
    books = await one.books(batch)
    verdict = check(books, Expected(store_lost=True))
    assert verdict.holds, verdict
    assert [entry.row_number for entry in books.job.trail if entry.action == "row.reissued"] == [2]
    assert books.job.rows[1].evidence
