"""A rig whose bus is a cluster of three NATS servers, every stream in three copies."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field

import nats
import stamina
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from services.cli.house.nats_server import choose_port, find_server
from tests.crash.bell import PATIENCE
from tests.crash.process import Process
from tests.crash.rig import Rig
from tests.crash.shapes import Shape

SERVERS = 3
CLUSTER_SHAPE = Shape(coordinators=2, shippers=2, writebacks=1, extra=(("TALLY_STREAM_REPLICAS", str(SERVERS)),))


@dataclass
class ClusterRig(Rig):
    """The servers are `nats-0` to `nats-2`; services reach them directly, for a cluster tells its own addresses."""

    ports: list[int] = field(default_factory=list)

    @property
    def direct(self) -> bool:
        """Without a proxy."""
        return True

    @stamina.retry(on=(NatsError, APIError, TimeoutError), attempts=None, timeout=PATIENCE, wait_max=1.0)
    async def leader_of(self, stream: str) -> Process:
        """The server that leads a stream."""
        info = await self.client.jetstream(timeout=5).stream_info(stream)
        if info.cluster is None or not info.cluster.leader:
            raise TimeoutError(f"{stream} has no leader yet")
        return self.processes[info.cluster.leader]

    async def _start_bus(self) -> None:
        self.ports = [self.nats_port, *(choose_port(None) for _ in range(SERVERS - 1))]
        routes = [choose_port(None) for _ in range(SERVERS)]
        for number, port in enumerate(self.ports):
            name = f"nats-{number}"
            written = self.folder / f"{name}.conf"
            written.write_text(self._configuration(name, port, routes[number], routes), encoding="utf-8")
            self._add(name, (find_server(), "-c", str(written)), {}, "Server is ready")
            self.processes[name].launch()
        self.client = await self._connect()
        await self._until_cluster_stands()

    async def _connect(self) -> Client:
        servers = [f"nats://127.0.0.1:{port}" for port in self.ports]
        client = await nats.connect(servers, max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=_quiet)
        await self.heard.listen(client)
        return client

    async def _until_cluster_stands(self) -> None:
        """JetStream answers only once the servers have agreed on a leader."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(NatsError, TimeoutError):
                    await self.client.jetstream(timeout=1).account_info()
                    return

    def _configuration(self, name: str, port: int, route: int, routes: list[int]) -> str:
        others = ", ".join(f'"nats://127.0.0.1:{other}"' for other in routes if other != route)
        return f"""server_name: {name}
listen: "127.0.0.1:{port}"
jetstream {{
  store_dir: {json.dumps(str(self.folder / name))}
  sync_interval: always
}}
cluster {{
  name: tally
  listen: "127.0.0.1:{route}"
  routes: [{others}]
}}
"""


async def _quiet(_: Exception) -> None:
    """A leader that is away is what the run is about."""
