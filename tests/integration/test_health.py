"""A house's probes: `/livez` and `/readyz` of each service, as a container's keeper sees them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.house import House, running_house

SERVICES = ("coordinator", "shipper", "writeback", "console")


def free_ports() -> int:
    """The first of as many free ports in a row as a house has services."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            first = taken.getsockname()[1]
        try:
            for port in range(first, first + len(SERVICES)):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first


@pytest.fixture(scope="module")
def first_port() -> int:
    return free_ports()


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roots")


@pytest.fixture(scope="module")
def probed_house(tmp_path_factory: pytest.TempPathFactory, first_port: int, roots: Path) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with running_house(folder, TALLY_HTTP__PORT=str(first_port), TALLY_SOURCE_ROOTS=str(roots)) as house:
        yield house


def readiness(first_port: int, service: str) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"http://127.0.0.1:{first_port + SERVICES.index(service)}/readyz", timeout=10)
    body = answer.json()
    assert body["service"] == service
    return answer.status_code, body["lacking"]


def test_every_service_lives_and_is_ready(probed_house: House, first_port: int) -> None:
    for place, service in enumerate(SERVICES):
        assert httpx.get(f"http://127.0.0.1:{first_port + place}/livez").status_code == 200
        assert readiness(first_port, service) == (200, {})
        done = subprocess.run(
            [sys.executable, "-m", "shared.health", "--ready"],
            env={**probed_house.environment, "TALLY_HTTP__PORT": str(first_port + place)},
            cwd=probed_house.folder,
            check=False,
        )
        assert done.returncode == 0


def test_a_bus_that_hangs_makes_every_service_live_and_unready(probed_house: House, first_port: int) -> None:
    pid = probed_house.pid("nats")
    os.kill(pid, signal.SIGSTOP)
    try:
        for place, service in enumerate(SERVICES):
            status, lacking = readiness(first_port, service)
            assert (status, set(lacking)) == (503, {"bus" if service == "console" else "consumers"})
            assert httpx.get(f"http://127.0.0.1:{first_port + place}/livez").status_code == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    for service in SERVICES:
        probed_house.eventually(lambda: readiness(first_port, service), lambda answer: answer == (200, {}))  # noqa: B023


def test_sources_that_are_gone_make_their_readers_and_writers_unready(
    probed_house: House, first_port: int, roots: Path
) -> None:
    aside = roots.with_name("aside")
    roots.rename(aside)
    try:
        assert readiness(first_port, "coordinator") == (503, {"source_roots": f"no such folder: {roots}"})
        assert readiness(first_port, "writeback") == (503, {"source_roots": f"no such folder: {roots}"})
        assert readiness(first_port, "shipper") == (200, {})
    finally:
        aside.rename(roots)
    assert probed_house.status["services"]
