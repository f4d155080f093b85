"""What is done to a cluster of three servers while a job runs."""

from __future__ import annotations

import asyncio
import shutil
from typing import Literal

from shared.contracts import subjects
from tests.cluster.runs import until_a_call_is_made
from tests.crash.cluster import ClusterRig

STREAMS = (subjects.COMMANDS, subjects.LEDGER, subjects.OUTCOMES, subjects.EVENTS, subjects.REQUESTS)
How = Literal["killed", "frozen"]


async def kill_leaders(rig: ClusterRig, streams: tuple[str, ...] = STREAMS) -> None:
    """Kill -9 the leader of each stream in turn, the next one once the one before has caught up."""
    for stream in streams:
        leader = await rig.leader_of(stream)
        leader.kill()
        await leader.death()
        await leader.start()
        await rig.until_healthy(leader)


async def wipe_stores(rig: ClusterRig) -> None:
    """Have each server lose its store, and rejoin with an empty one that the others fill."""
    for server in rig.servers:
        server.kill()
        await server.death()
        shutil.rmtree(rig.folder / server.name)
        await server.start()
        await rig.until_healthy(server)


async def restart_servers(rig: ClusterRig) -> None:
    """Restart one server after the other, as an upgrade does."""
    for server in rig.servers:
        await server.stop()
        await server.start()
        await rig.until_healthy(server)


async def lose_quorum(rig: ClusterRig, seconds: float, how: How) -> None:
    """Leave one server of three for so long, from the moment that a label is being bought.

    What the carrier sold by then is kept on the shipper's disk, and nothing stays there afterwards.
    """
    await until_a_call_is_made(rig)
    gone = rig.servers[1:]
    for server in gone:
        if how == "killed":
            server.kill()
        else:
            server.freeze()
    kept = rig.data_dir / "spool"
    await rig.bell.until(lambda: next(kept.glob("*.json"), None), "a sale kept on disk", within=20, look_every=0.1)
    await asyncio.sleep(seconds)  # how long the bus is away is what the run is about
    for server in gone:
        if how == "killed":
            await server.start()
        else:
            server.thaw()
    await rig.bell.until(lambda: not list(kept.glob("*.json")), "what was kept to be told", within=60, look_every=0.1)


async def part_a_server(rig: ClusterRig, number: int, seconds: float) -> None:
    """Cut one server off from the two others for so long; its clients stay with it."""
    rig.part(number)
    await asyncio.sleep(seconds)  # how long it lasts is what the run is about
    rig.join()
    await rig.until_healthy(rig.servers[number])
