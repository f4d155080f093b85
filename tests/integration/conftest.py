"""Fixtures that tests against real processes share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from services.coordinator.database import migration
from services.coordinator.database.engine import Database
from shared.bus import topology
from tests.integration.books_beside import Books, open_books
from tests.integration.database_server import Server
from tests.integration.database_servers import mariadb, postgres
from tests.integration.house import House, running_house
from tests.integration.job_databases import JobDatabases, job_databases
from tests.integration.nats_servers import connected, nats_server
from tests.integration.shops import Shop, server_shop, sqlite_shop

SERVED = {"books", "own_house", "secured", "shop", "served_shop", "shops_house", "postgres_server", "mariadb_server"}
SERVED |= {"database_url", "served_job_databases"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the tests that need a database server the time in which an image is pulled, for the first of them may."""
    if isinstance(item, pytest.Function) and SERVED.intersection(item.fixturenames):
        item.add_marker(pytest.mark.timeout(600))


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
async def client(nats_url: str) -> AsyncIterator[Client]:
    """A connection to that bus, with every stream and consumer in place."""
    connection = await connected(nats_url)
    await topology.apply(connection.jetstream())
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One PostgreSQL server for all tests of a worker."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """One MariaDB server for all tests of a worker."""
    with mariadb() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """An empty shop in each kind of database."""
    if request.param == "sqlite":
        shop = sqlite_shop(tmp_path)
        yield shop
        shop.close()
    else:
        yield from _served_shop(request)


@pytest.fixture(params=["postgresql", "mariadb"])
def served_shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """An empty shop in each kind of database that has a server, and so users and schemas."""
    yield from _served_shop(request)


def _served_shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    server = request.getfixturevalue("postgres_server" if request.param == "postgresql" else "mariadb_server")
    shop = server_shop(server, request.param)
    yield shop
    shop.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Books]:
    """A job database of each kind, with a shop's orders in it."""
    is_file = request.param == "sqlite"
    shop = sqlite_shop(tmp_path) if is_file else server_shop(request.getfixturevalue("postgres_server"), request.param)
    async with open_books(shop) as books:
        yield books
    shop.close()


@pytest.fixture(scope="session")
def job_database_template(postgres_server: Server) -> Iterator[JobDatabases]:
    """Where job databases of a worker's tests are copied from."""
    with job_databases(postgres_server) as databases:
        yield databases


@pytest.fixture
def served_job_databases(job_database_template: JobDatabases) -> Iterator[JobDatabases]:
    """Makes job databases on PostgreSQL, and removes them after the test."""
    yield job_database_template
    job_database_template.drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a job database of each kind; the one on a server has its tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    databases: JobDatabases = request.getfixturevalue("served_job_databases")
    return databases.make()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty job database, of each kind: whatever a test says of it holds for both."""
    database = Database(database_url)
    await database.write(migration.upgrade)
    yield database
    await database.close()
