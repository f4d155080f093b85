"""PostgreSQL and MariaDB servers, in the first of these ways by which there is one; SQLite needs none.

1. `address`: the server whose URL is in TALLY_TEST_POSTGRES_URL or TALLY_TEST_MARIADB_URL. Its user has to be allowed
   to make databases and users. What the tests make there they remove.
2. `binary`: the binaries on this machine.
3. `container`: the official image, where a Docker engine answers.
4. `wheel`: the binaries of a wheel from PyPI; there is none for MariaDB.

TALLY_TEST_SERVERS names the ways that may be taken, with commas between: `TALLY_TEST_SERVERS=container,wheel`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from sqlalchemy import make_url

from tests.integration.database_binaries import Certificate, installed_mariadb, installed_postgres, wheel_postgres
from tests.integration.database_containers import contained_mariadb, contained_postgres
from tests.integration.database_server import NoServerError, Server, answering

WAYS = ("address", "binary", "container", "wheel")
Way = Callable[[], AbstractContextManager[Server]]


@contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; skips the test where none can be had, and says what was looked for."""
    ways: Mapping[str, Way] = {
        "address": lambda: _named("TALLY_TEST_POSTGRES_URL", "postgresql+pg8000"),
        "binary": installed_postgres,
        "container": contained_postgres,
        "wheel": wheel_postgres,
    }
    with _first("PostgreSQL", ways) as server:
        yield server


@contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB server; skips the test where none can be had, and says what was looked for."""
    ways: Mapping[str, Way] = {
        "address": lambda: _named("TALLY_TEST_MARIADB_URL", "mariadb+pymysql"),
        "binary": installed_mariadb,
        "container": contained_mariadb,
    }
    with _first("MariaDB", ways) as server:
        yield server


@contextmanager
def secured_postgres(certificate: Certificate) -> Iterator[Server]:
    """A PostgreSQL server that speaks TLS only; skips the test where there are no binaries of one.

    Its user `certified`, whom a test may make, has to show a certificate as well.
    """
    ways = {"binary": lambda: installed_postgres(certificate), "wheel": lambda: wheel_postgres(certificate)}
    with _first("PostgreSQL", ways) as server:
        yield server


@contextmanager
def secured_mariadb(certificate: Certificate) -> Iterator[Server]:
    """A MariaDB server that speaks TLS, too; skips the test where there are no binaries of one."""
    with _first("MariaDB", {"binary": lambda: installed_mariadb(certificate)}) as server:
        yield server


@contextmanager
def _first(name: str, ways: Mapping[str, Way]) -> Iterator[Server]:
    """A server in the first way by which there is one."""
    allowed = os.environ.get("TALLY_TEST_SERVERS", ",".join(WAYS)).split(",")
    assert set(allowed) <= set(WAYS), f"TALLY_TEST_SERVERS names other ways than {', '.join(WAYS)}"
    missing = [] if set(ways) <= set(allowed) else [f"TALLY_TEST_SERVERS allows only {', '.join(allowed)}"]
    with ExitStack() as stack:
        for way in (way for way in ways if way in allowed):
            try:
                server = stack.enter_context(ways[way]())
            except NoServerError as reason:
                missing.append(str(reason))
            else:
                yield server
                return
        pytest.skip(f"there is no {name} server: {'; '.join(missing)}")


@contextmanager
def _named(variable: str, driver: str) -> Iterator[Server]:
    """The server that a variable of the environment leads to."""
    url = os.environ.get(variable)
    if not url:
        raise NoServerError(f"{variable} is not set")
    yield answering(make_url(url).set(drivername=driver), variable)
