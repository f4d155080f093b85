"""A NATS server for the tests of a worker: the one `NATS_URL` names, else a container, else the binary."""

from __future__ import annotations

import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import nats
from docker.errors import DockerException
from nats.aio.client import Client
from testcontainers.core.container import DockerContainer

from services.cli.house.nats_server import choose_port, configuration, find_server

IMAGE = "nats:2.12-alpine"
CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nats" / "nats-server.conf"


@contextmanager
def nats_server(folder: Path) -> Iterator[str]:
    """The URL of a server with JetStream that syncs every publish."""
    named = os.environ.get("NATS_URL")
    if named:
        yield named
        return
    container = _started_container()
    if container is None:
        with _binary(folder) as url:
            yield url
        return
    try:
        yield f"nats://{container.get_container_host_ip()}:{container.get_exposed_port(4222)}"
    finally:
        container.stop()


def _started_container() -> DockerContainer | None:
    """A running container, or None where there is no Docker, or (said in a warning) no image to be had."""
    try:
        docker.from_env().ping()
    except DockerException:
        return None
    container = (
        DockerContainer(IMAGE)
        .with_command("--config /etc/nats/tally.conf")
        .with_volume_mapping(str(CONFIGURATION), "/etc/nats/tally.conf", "ro")
        .with_exposed_ports(4222)
    )
    try:
        return container.start()
    except DockerException as error:
        warnings.warn(f"Docker cannot run {IMAGE}, so the binary serves: {error}", stacklevel=2)
        return None


@contextmanager
def _binary(folder: Path) -> Iterator[str]:
    port = choose_port(None)
    written = folder / "nats.conf"
    written.write_text(configuration(port, folder), encoding="utf-8")
    with (folder / "nats.log").open("w") as log:
        process = subprocess.Popen([find_server(), "-c", str(written)], stdout=log, stderr=log)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


async def connected(url: str) -> Client:
    """A connection, once the server answers."""
    return await nats.connect(url, max_reconnect_attempts=200, reconnect_time_wait=0.05, error_cb=_quiet)


async def _quiet(_: Exception) -> None:
    """A server that is still starting refuses connections; that is not news."""
