"""The faults of `make cluster`, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tests.cluster.disturbances import (
    STREAMS,
    kill_leaders,
    lose_quorum,
    part_a_server,
    restart_servers,
    wipe_stores,
)
from tests.crash.cluster import ClusterRig

_AWAY_FOR = 60.0
_PARTED_FOR = 40.0


@dataclass(frozen=True)
class Fault:
    """What is done, while a job of so many rows runs whose carrier takes `carrier_ms` milliseconds for each."""

    name: str
    done: Callable[[ClusterRig], Awaitable[None]]
    rows: int
    carrier_ms: int = 150

    async def happen(self, rig: ClusterRig) -> None:
        """Do it."""
        await self.done(rig)


RAISED = "single copies become three, service by service (TALLY_STREAM_REPLICAS)"
EARLY = "every service starts while two servers are down, and waits"
FRESH = "all three killed -9 before the first message, five times"
ALL = (
    Fault("the leader of each stream killed -9, twice", partial(kill_leaders, streams=STREAMS * 2), 200),
    Fault("each server's store lost in turn", wipe_stores, 100),
    Fault(
        "no majority for 60 s, two servers killed -9", partial(lose_quorum, seconds=_AWAY_FOR, how="killed"), 12, 1500
    ),
    Fault("no majority for 60 s, two servers frozen", partial(lose_quorum, seconds=_AWAY_FOR, how="frozen"), 12, 1500),
    Fault(
        "the services' server cut off from the others for 40 s",
        partial(part_a_server, number=0, seconds=_PARTED_FOR),
        40,
    ),
    Fault("a server that no service knows cut off for 40 s", partial(part_a_server, number=2, seconds=_PARTED_FOR), 40),
    Fault("every server restarted in turn", restart_servers, 60),
)
