"""A cluster of three servers while jobs run: leaders die, stores are lost, majorities, links; `make cluster`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from shared.bus import topology
from tests.cluster import faults
from tests.cluster.acknowledged import claim_while
from tests.cluster.disturbances import kill_leaders
from tests.cluster.fault_table import write
from tests.cluster.faults import Fault
from tests.cluster.runs import Run, alarms, ship_through
from tests.crash.checker import Verdict
from tests.crash.cluster import CLUSTER_SHAPE, SERVERS, ClusterRig
from tests.crash.process import Life
from tests.crash.shapes import Shape

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.long]

CLAIMS = (
    "{rows} rows were claimed by two at once, through different servers, while the leader of the ledger was killed -9 "
    "eight times:\neach claim was confirmed to one of them at most, and every confirmed claim was in the ledger "
    "afterwards."
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClusterRig]:
    """Two coordinators, two shippers and a writeback; one of each and the writeback know the first server only."""
    knows: dict[str, tuple[int, ...]] = dict.fromkeys(("coordinator-0", "shipper-0", "writeback-0"), (0,))
    async with ClusterRig(tmp_path_factory.mktemp("cluster"), CLUSTER_SHAPE, knows=knows) as rig:
        yield rig


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Run]]:
    """What the faults came to; told in docs/fault-table.md once all of them have passed."""
    runs: dict[str, Run] = {}
    yield runs
    if CLAIMS in runs and len(runs) == len(faults.ALL) + 4:
        told = runs.pop(CLAIMS)
        write(runs, CLAIMS.format(rows=told.rows))


@pytest.mark.parametrize("fault", faults.ALL, ids=lambda fault: fault.name)
async def test_every_row_is_shipped_once_and_the_job_goes_on_by_itself(
    cluster: ClusterRig, seen: dict[str, Run], fault: Fault
) -> None:
    disturb = partial(fault.happen, cluster)
    seed = faults.ALL.index(fault) + 10
    run = await ship_through(cluster, fault.rows, disturb, seed=seed, carrier_ms=fault.carrier_ms)
    assert run.verdict.holds, run.verdict
    assert alarms(cluster) == []
    seen[fault.name] = run


async def test_a_claim_is_promised_to_one_and_is_kept_whoever_leads_the_ledger(
    cluster: ClusterRig, seen: dict[str, Run]
) -> None:
    promises = await claim_while(cluster, partial(kill_leaders, cluster, ("LEDGER",) * 8))
    assert len(promises.won) > 100
    assert await promises.broken(cluster) == []
    seen[CLAIMS] = Run(promises.rows, Verdict((), (), ()), 0.0)


async def test_a_house_of_single_copies_becomes_one_of_three_while_a_job_runs(
    tmp_path: Path, seen: dict[str, Run]
) -> None:
    async with ClusterRig(tmp_path, Shape()) as rig:

        async def raise_copies() -> None:
            for process in rig.services:
                await process.stop()
                await process.start(TALLY_STREAM_REPLICAS=str(SERVERS))

        run = await ship_through(rig, 30, raise_copies, seed=41)
        assert run.verdict.holds, run.verdict
        js = rig.client.jetstream()
        await _until_in_three_copies(js)
        await rig.processes["shipper-0"].stop()
        await rig.processes["shipper-0"].start()
        assert await _copies(js) == {SERVERS}, "a process with the former setting takes none away"
    seen[faults.RAISED] = run


async def test_a_service_that_starts_before_the_majority_waits_for_it(tmp_path: Path, seen: dict[str, Run]) -> None:
    rig = ClusterRig(tmp_path, CLUSTER_SHAPE)
    try:
        await rig.open()
        stopped = rig.servers[1:]
        for process in (*rig.services, *stopped):
            process.kill()
            await process.death()
        lives = [process.launch() for process in rig.services]
        for life in lives:
            await rig.bell.until(partial(_says_that_it_waits, life), "a service to say that it waits")
        for server in stopped:
            server.launch()
        for process, life in zip(rig.services, lives, strict=True):
            await process.until_ready(life)
            assert not life.over
        run = await ship_through(rig, 6, _nothing, seed=42)
        assert run.verdict.holds, run.verdict
    finally:
        await rig.close()
    seen[faults.EARLY] = run


async def test_servers_that_restart_before_the_first_message_leave_no_consumer_behind(
    tmp_path: Path, seen: dict[str, Run]
) -> None:
    async with ClusterRig(tmp_path, Shape(extra=CLUSTER_SHAPE.extra)) as rig:
        for _ in range(5):
            for server in rig.servers:
                server.kill()
                await server.death()
            for server in rig.servers:
                await server.start()
            for server in rig.servers:
                await rig.until_healthy(server)
        run = await ship_through(rig, 6, _nothing, seed=43)
        assert run.verdict.holds, run.verdict
    seen[faults.FRESH] = run


def _says_that_it_waits(life: Life) -> bool:
    """A coordinator brings the streams up, the others wait until it has."""
    return any(life.said(words) for words in _WAITING)


# The last is of one that found the streams before the server that is left had missed the others.
_WAITING = ("keeps no streams yet", "waiting for the streams", "the bus is away")


async def _nothing() -> None:
    """Leave the bus alone."""


async def _until_in_three_copies(js: JetStreamContext) -> None:
    """A server copies a stream's consumers some seconds after the stream itself, and tells nobody."""
    async with asyncio.timeout(60):
        while await _copies(js) != {SERVERS}:  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def _copies(js: JetStreamContext) -> set[int]:
    """In how many copies streams and consumers are kept."""
    clusters = [(await js.stream_info(str(stream.name))).cluster for stream in topology.streams(1)]
    clusters += [(await js.consumer_info(one.stream, one.durable)).cluster for one in topology.CONSUMERS]
    return {1 + len((cluster.replicas if cluster else None) or ()) for cluster in clusters}
