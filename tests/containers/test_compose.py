"""The compose file brings the same services up, and they ship a batch."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from testcontainers.compose import DockerCompose

from tests.integration.house import tracking_numbers
from tests.samples import write_orders

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


class StandaloneCompose(DockerCompose):
    """Compose as the older, separate `docker-compose` program."""

    @cached_property
    def compose_command_property(self) -> list[str]:
        return ["docker-compose"]


def compose_kind() -> type[DockerCompose] | None:
    """`docker compose` where there is one, else `docker-compose`, else nothing."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return DockerCompose
    return StandaloneCompose if shutil.which("docker-compose") else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    """Docker, or a skip that says why."""
    try:
        docker.from_env().ping()
    except DockerException as error:
        pytest.skip(f"no Docker engine: {error}")
    if compose_kind() is None:
        pytest.skip("neither docker compose nor docker-compose is there")


@dataclass
class Stack:
    """The running stack and the folder its orders are in."""

    compose: DockerCompose
    orders: Path
    carrier_url: str

    def tally(self, *arguments: str) -> str:
        """Run `tally` in a container of its own; what it printed."""
        command = [*self.compose.docker_compose_command(), "run", "--rm", "-T", "tally", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=180)
        return done.stdout


@pytest.fixture(scope="module")
def stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: ARG001 - the engine first
    orders = tmp_path_factory.mktemp("orders")
    port = free_port()
    settings = {
        "COMPOSE_PROJECT_NAME": f"tally{os.getpid()}",
        "TALLY_ORDERS": str(orders),
        "TALLY_UID": str(os.getuid()),
        "TALLY_GID": str(os.getgid()),
        "TALLY_NATS_PORT": str(free_port()),
        "TALLY_SANDBOX_PORT": str(port),
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(name, value)
        kind = compose_kind()
        assert kind is not None
        with kind(ROOT, build=True, wait=False) as compose:
            # `up` builds only what it starts; a `run` that builds would print that among its answer.
            build = [*compose.docker_compose_command(), "build", "tally"]
            subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
            yield Stack(compose, orders, f"http://127.0.0.1:{port}")


def test_ten_rows_ship_through_the_containers(stack: Stack) -> None:
    path = stack.orders / "orders.csv"
    write_orders(path, 10)
    job = json.loads(stack.tally("ship", "orders.csv", "--yes", "--json"))
    assert (job["status"], job["rows"]["shipped"]) == ("completed", 10)
    rows = json.loads(stack.tally("rows", job["job_id"], "--json"))
    with urllib.request.urlopen(f"{stack.carrier_url}/_sandbox/shipments") as answer:
        sold = Counter(shipment["reference"] for shipment in json.load(answer))
    assert sold == {row["reference"]: 1 for row in rows}
    assert tracking_numbers(path) == [row["tracking_numbers"][0] for row in rows]
