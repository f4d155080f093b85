"""The shipper's rows of DESIGN §4's crash table: kill -9 of the only one there is."""

import pytest

from tests.crash import healing
from tests.crash.judging import killed_at
from tests.crash.rig import Rig

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

SHIP, TOKEN = "/api/shipments/v2409/ship", "/security/v1/oauth/token"
LOOK_UPS = {healing.FOUND, healing.NOT_FOUND}


async def test_a_shipper_dies_before_its_claim_and_redelivery_ships_without_a_look_up(one: Rig) -> None:
    result = await killed_at(one, "shipper.before_claim", seed=1)
    assert healing.REDELIVERY in result.healed_by
    assert not LOOK_UPS & {*result.healed_by}


async def test_a_shipper_dies_after_its_claim_before_the_call_and_the_row_is_sold_once(one: Rig) -> None:
    result = await killed_at(one, "shipper.before_call", seed=2)
    assert healing.REDELIVERY in result.healed_by
    assert healing.FOUND not in result.healed_by


async def test_a_shipper_dies_after_the_call_and_the_look_up_finds_the_label(one: Rig) -> None:
    result = await killed_at(one, "shipper.after_call", seed=3)
    assert {healing.REDELIVERY, healing.FOUND} <= {*result.healed_by}


async def test_a_shipper_dies_after_its_outcome_and_redelivery_calls_nothing(one: Rig) -> None:
    before = (await one.carrier("GET", "calls")).json()
    result = await killed_at(one, "shipper.after_outcome", nth=6, seed=4)
    after = (await one.carrier("GET", "calls")).json()
    assert healing.REDELIVERY in result.healed_by
    assert after[SHIP] - before.get(SHIP, 0) == 6
    assert {path for path in after if after[path] != before.get(path)} <= {SHIP, TOKEN}


async def test_a_shipper_dies_after_its_outcome_and_the_next_rows_command_takes_the_slot(one: Rig) -> None:
    result = await killed_at(one, "shipper.after_outcome", seed=5)
    assert healing.FREED in result.healed_by
    assert not LOOK_UPS & {*result.healed_by}
