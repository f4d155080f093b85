"""The services of a house end and start again in any order while a job runs; one order is in tests/crash, too."""

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.crash.rig import Rig, running_rig
from tests.crash.shapes import ROLES
from tests.upgrade.restarting import ship_through_a_restart

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240), pytest.mark.long]

ORDERS = tuple(itertools.permutations(ROLES))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """One process of each service."""
    async with running_rig(tmp_path_factory.mktemp("orders")) as rig:
        yield rig


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
async def test_a_job_goes_on_whatever_starts_first(house: Rig, order: tuple[str, ...]) -> None:
    verdict = await ship_through_a_restart(house, order, seed=ORDERS.index(order) + 1)
    assert verdict.holds, verdict
