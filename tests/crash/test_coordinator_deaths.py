"""The coordinator's rows of DESIGN §4's crash table: kill -9 of the only one there is."""

import pytest

from tests.crash import healing
from tests.crash.cases import Case, Fault, Story
from tests.crash.judging import kept, killed_at
from tests.crash.rig import Rig
from tests.upgrade.restarting import ship_through_a_restart

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_a_coordinator_dies_before_its_commit_and_redelivery_does_the_step(one: Rig) -> None:
    result = await killed_at(one, "coordinator.before_outcome_commit", seed=1)
    assert healing.REDELIVERY in result.healed_by


async def test_a_coordinator_dies_after_its_commit_and_the_next_command_is_published_all_the_same(one: Rig) -> None:
    result = await killed_at(one, "coordinator.after_outcome_commit", seed=2)
    assert healing.REDELIVERY in result.healed_by


async def test_a_coordinator_dies_after_an_approval_and_its_row_gets_a_command_all_the_same(one: Rig) -> None:
    result = await killed_at(one, "coordinator.before_ship_publish", nth=1, story=Story.APPROVED, seed=3)
    assert {healing.WATCHDOG, healing.PERSON} & {*result.healed_by}


async def test_every_coordinator_dies_and_the_job_goes_on_once_there_is_one(one: Rig) -> None:
    await kept(one, Case(Fault.KILL_ALL, "coordinator", several=False, row=2), 4)


async def test_a_job_goes_on_when_every_service_ends_and_the_coordinator_is_the_last_to_start(one: Rig) -> None:
    verdict = await ship_through_a_restart(one, ("writeback", "shipper", "coordinator"), seed=90)
    assert verdict.holds, verdict
