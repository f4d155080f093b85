"""A cluster of three servers loses a leader, and its majority for some seconds: the short form of test_cluster.py."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from shared.contracts import subjects
from tests.cluster.disturbances import kill_leaders, lose_quorum
from tests.cluster.runs import alarms, ship_through
from tests.crash.cluster import SERVERS, ClusterRig
from tests.crash.shapes import Shape

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

SMALL = Shape(extra=(("TALLY_STREAM_REPLICAS", str(SERVERS)),))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterRig]:
    """One service of each kind on three servers."""
    async with ClusterRig(tmp_path_factory.mktemp("cluster"), SMALL) as rig:
        yield rig


async def test_the_leader_of_the_commands_dies_and_every_row_is_shipped_once(cluster: ClusterRig) -> None:
    run = await ship_through(cluster, 12, partial(kill_leaders, cluster, (subjects.COMMANDS,)), seed=1)
    assert run.verdict.holds, run.verdict
    assert alarms(cluster) == []


async def test_without_a_majority_for_8_s_a_job_pauses_in_place_and_goes_on_by_itself(cluster: ClusterRig) -> None:
    lose = partial(lose_quorum, cluster, 8, "killed")
    run = await ship_through(cluster, 12, lose, seed=2, carrier_ms=800)
    assert run.verdict.holds, run.verdict
    assert alarms(cluster) == []
