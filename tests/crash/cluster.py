"""A rig whose bus is a cluster of three NATS servers, every stream in three copies, as deploy/nats/cluster has it."""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import nats
import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from services.cli.house.nats_server import choose_port, find_server
from tests.crash.bell import PATIENCE
from tests.crash.process import Process
from tests.crash.proxy import Proxy
from tests.crash.rig import Rig
from tests.crash.shapes import Shape

SERVERS = 3
CLUSTER_SHAPE = Shape(coordinators=2, shippers=2, writebacks=1, extra=(("TALLY_STREAM_REPLICAS", str(SERVERS)),))
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nats" / "cluster" / "server.conf"
_LOOK_EVERY = 0.2


@dataclass
class ClusterRig(Rig):
    """The servers are `nats-0` to `nats-2`; services know them all, or those that `knows` has by the service's name.

    The servers reach one another through `links`, from one to another, which can be severed.
    """

    ports: list[int] = field(default_factory=list)
    links: dict[tuple[int, int], Proxy] = field(default_factory=dict)
    knows: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def servers(self) -> list[Process]:
        """The three."""
        return [self.processes[f"nats-{number}"] for number in range(SERVERS)]

    async def leader_of(self, stream: str) -> Process:
        """The server that leads a stream."""
        async for attempt in stamina.retry_context(
            on=(NatsError, APIError, TimeoutError), attempts=None, timeout=PATIENCE, wait_max=1.0
        ):
            with attempt:
                info = await self.client.jetstream(timeout=5).stream_info(stream)
                if info.cluster is None or not info.cluster.leader:
                    raise TimeoutError(f"{stream} has no leader yet")
                return self.processes[info.cluster.leader]
        raise AssertionError("unreachable")

    async def until_healthy(self, server: Process) -> None:
        """Wait until a server says of itself that all it keeps is as its cluster has it."""
        url = f"http://127.0.0.1:{self._monitors[int(server.name[-1])]}/healthz"
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(httpx.HTTPError):
                    if (await self.http.get(url)).status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(_LOOK_EVERY)

    def part(self, number: int) -> None:
        """Cut one server off from the two others."""
        for ends, link in self.links.items():
            if number in ends:
                link.sever()

    def join(self) -> None:
        """Have all servers reach one another again."""
        for link in self.links.values():
            link.mend()

    async def close(self) -> None:
        """End everything, the links too."""
        await super().close()
        for link in self.links.values():
            await link.close()

    async def _bus_of(self, name: str) -> str:
        known = self.knows.get(name, range(SERVERS))
        return ",".join(f"nats://127.0.0.1:{self.ports[number]}" for number in known)

    async def _start_bus(self) -> None:
        self.ports = [self.nats_port, *(choose_port(None) for _ in range(SERVERS - 1))]
        self._monitors = [choose_port(None) for _ in range(SERVERS)]
        self._routes = [choose_port(None) for _ in range(SERVERS)]
        for one, other in itertools.permutations(range(SERVERS), 2):
            self.links[one, other] = Proxy(self._routes[other])
            await self.links[one, other].open()
        for number in range(SERVERS):
            command = (find_server(), "-c", str(CONFIGURATION))
            self._add(f"nats-{number}", command, self._environment(number), "Server is ready")
        await self._launch_servers()

    async def _launch_servers(self) -> None:
        for server in self.servers:
            server.launch()
        self.client = await self._connect()
        await self._until_cluster_stands()

    async def _connect(self) -> Client:
        servers = [f"nats://127.0.0.1:{port}" for port in self.ports]
        client = await nats.connect(
            servers, max_reconnect_attempts=-1, reconnect_time_wait=0.2, ping_interval=2, error_cb=_quiet
        )
        await self.heard.listen(client)
        return client

    async def _until_cluster_stands(self) -> None:
        """JetStream answers only once the servers have agreed on a leader."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(NatsError, TimeoutError):
                    await self.client.jetstream(timeout=1).account_info()
                    return

    def _environment(self, number: int) -> dict[str, str]:
        links = (link for (one, _), link in self.links.items() if one == number)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "NATS_NAME": f"nats-{number}",
            "NATS_LISTEN": f"127.0.0.1:{self.ports[number]}",
            "NATS_MONITOR": f"127.0.0.1:{self._monitors[number]}",
            "NATS_STORE": str(self.folder / f"nats-{number}"),
            "NATS_CLUSTER": f"127.0.0.1:{self._routes[number]}",
            # Nothing listens there: servers reach one another by their links alone.
            "NATS_ADVERTISE": "127.0.0.1:9",
            "NATS_ROUTES": f"[{', '.join(f'nats://127.0.0.1:{link.port}' for link in links)}]",
        }


async def _quiet(_: Exception) -> None:
    """A leader that is away is what the run is about."""
