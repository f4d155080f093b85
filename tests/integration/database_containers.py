"""PostgreSQL and MariaDB servers of a test run's own, from the official images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import docker
from docker.errors import DockerException
from sqlalchemy import make_url
from testcontainers.community.mysql import MySqlContainer
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.generic import DbContainer

from tests.integration.database_server import PASSWORD, NoServerError, Server, answering

POSTGRES = "postgres:17-alpine"
MARIADB = "mariadb:11"
T = TypeVar("T", bound=DbContainer)


@contextmanager
def contained_postgres() -> Iterator[Server]:
    """A PostgreSQL server in a container."""
    _check_engine()
    with _running(PostgresContainer(POSTGRES, username="tally", password=PASSWORD, dbname="tally")) as container:
        yield _server(container, "postgresql+pg8000")


@contextmanager
def contained_mariadb() -> Iterator[Server]:
    """A MariaDB server in a container."""
    _check_engine()
    with _running(MySqlContainer(MARIADB, username="root", password=PASSWORD, dbname="tally")) as container:
        yield _server(container, "mariadb+pymysql")


def _server(container: PostgresContainer | MySqlContainer, driver: str) -> Server:
    return answering(make_url(container.get_connection_url()).set(drivername=driver), container.image)


def _check_engine() -> None:
    try:
        docker.from_env().ping()
    except DockerException as error:
        raise NoServerError(f"no Docker engine: {error}") from error


@contextmanager
def _running(container: T) -> Iterator[T]:
    try:
        container.start()
    except DockerException as error:
        raise NoServerError(f"Docker cannot run {container.image}: {error}") from error
    try:
        yield container
    finally:
        container.stop()
