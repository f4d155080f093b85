"""One stack for all tests of the containers."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException

from tests.containers.stack import Stack, compose_kind, running_stack


@pytest.fixture(scope="session")
def engine() -> None:
    """Docker, or a skip that says why."""
    try:
        docker.from_env().ping()
    except DockerException as error:
        pytest.skip(f"no Docker engine: {error}")
    if compose_kind() is None:
        pytest.skip("neither docker compose nor docker-compose is there")


@pytest.fixture(scope="session")
def stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: ARG001 - the engine first
    """The whole stack on PostgreSQL."""
    with running_stack(tmp_path_factory.mktemp("project")) as running:
        yield running
