"""Fixtures that tests against real processes share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.coordinator.database import migration
from services.coordinator.database.engine import Database
from tests.integration.house import House, running_house
from tests.integration.nats_servers import nats_server


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all tests of a worker; each test ships a file of its own."""
    with running_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One bus for all tests of a worker that need no house; each test uses job ids of its own."""
    with nats_server(tmp_path_factory.mktemp("nats")) as url:
        yield url


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty job database."""
    database = Database(f"sqlite:///{tmp_path / 'jobs.db'}")
    await database.write(migration.upgrade)
    yield database
    await database.close()
