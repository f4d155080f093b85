"""The compose stack of a project, and what tests do to it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container
from testcontainers.compose import DockerCompose

from tests.containers.project import give, make_project
from tests.samples import write_orders

SERVICES = ("coordinator", "shipper", "writeback")
IMAGE_TAG = "test"


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


@dataclass
class Stack:
    """The running stack of the project in `folder`."""

    folder: Path
    name: str
    compose: DockerCompose
    nats_url: str
    carrier_url: str
    console_url: str

    def run(self, *arguments: str) -> str:
        """Run `docker compose …` to its end; what it printed."""
        command = [*self.compose.docker_compose_command(), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fail(self, *arguments: str) -> str:
        """Run `docker compose …`, which is to fail; what it said."""
        command = [*self.compose.compose_command_property, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def tally(self, *arguments: str) -> str:
        """Run `tally …` in a container of its own; what it printed."""
        return self.run("run", "--rm", "-T", "tally", *arguments)

    def containers(self, service: str) -> list[Container]:
        """A service's containers, those that have ended too."""
        mine = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        labels = [*mine, "com.docker.compose.oneoff=False"]
        return docker.from_env().containers.list(all=True, filters={"label": labels})

    def running(self, service: str) -> list[Container]:
        """A service's containers that run."""
        return [container for container in self.containers(service) if container.status == "running"]

    def lives(self, service: str) -> set[tuple[str, str]]:
        """The running containers of a service, each with the moment it started."""
        return {(container.id, container.attrs["State"]["StartedAt"]) for container in self.running(service)}

    def scale(self, replicas: Mapping[str, int]) -> None:
        """Have as many containers of each service as `replicas` says, one where it says nothing."""
        wanted = {service: replicas.get(service, 1) for service in SERVICES}
        if wanted != {service: len(self.running(service)) for service in SERVICES}:
            options = [part for service, count in wanted.items() for part in ("--scale", f"{service}={count}")]
            self.run("up", "--detach", "--no-build", "--no-recreate", *options)

    def wait_until_healthy(self, services: Sequence[str]) -> None:
        """Wait until the engine says of every container of `services` that it is healthy."""
        deadline = time.monotonic() + 120
        pause = threading.Event()
        while unwell := {
            container.name: container.attrs["State"]
            for service in services
            for container in self.containers(service)
            if container.attrs["State"]["Health"]["Status"] != "healthy"
        }:
            assert time.monotonic() < deadline, unwell
            pause.wait(0.5)  # between two looks: the engine's own sign is the container's state

    def orders(self, name: str, count: int) -> Path:
        """A fresh file of `count` orders where the containers find it."""
        path = self.folder / "orders" / name
        write_orders(path, count)
        give(path, path.parent)
        return path

    def secret(self, name: str) -> str:
        """What deploy/prepare made up."""
        return (self.folder / "deploy" / "secrets" / name).read_text().strip()

    def shipments(self) -> list[dict[str, Any]]:
        """Every shipment the carrier ever sold."""
        with urllib.request.urlopen(f"{self.carrier_url}/_sandbox/shipments", timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Build and start a project's stack; its containers and volumes are gone at the end."""
    make_project(folder)
    nats_port, sandbox_port, console_port = free_port(), free_port(), free_port()
    settings = {
        "COMPOSE_PROJECT_NAME": f"tally{os.getpid()}",
        "TALLY_TAG": IMAGE_TAG,
        "TALLY_NATS_PORT": str(nats_port),
        "TALLY_SANDBOX_PORT": str(sandbox_port),
        "TALLY_CONSOLE_PORT": str(console_port),
    }
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith(("TALLY_", "COMPOSE_PROFILES"))]:
            environment.delenv(name)
        for name, value in settings.items():
            environment.setenv(name, value)
        kind = compose_kind()
        assert kind is not None
        with kind(folder, build=True, wait=False) as compose:
            stack = Stack(
                folder,
                settings["COMPOSE_PROJECT_NAME"],
                compose,
                f"nats://127.0.0.1:{nats_port}",
                f"http://127.0.0.1:{sandbox_port}",
                f"http://127.0.0.1:{console_port}",
            )
            # `up` builds only what it starts; a `run` that builds would print that among its answer.
            stack.run("build", "tally")
            yield stack


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
