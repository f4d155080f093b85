"""Where the tests have their database servers from, and how they leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration import database_binaries
from tests.integration.database_containers import MARIADB, POSTGRES
from tests.integration.database_server import Server
from tests.integration.database_servers import mariadb, postgres
from tests.integration.shops import server_shop

pytestmark = pytest.mark.timeout(600)  # an image may have to be pulled


def told_version(server: Server) -> str:
    """What the server says of itself."""
    return str(server.query("SELECT VERSION()")[0][0])


def in_the_server(server: Server, name: str) -> list[str]:
    """The databases and users of a server whose names have this in them."""
    names = {
        "postgresql": "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles",
        "mariadb": "SELECT schema_name FROM information_schema.schemata UNION SELECT user FROM mysql.user",
    }[server.admin.get_backend_name()]
    return [found for (found,) in server.query(names) if name in str(found)]


@pytest.mark.parametrize(
    ("way", "origin"), [("binary", "bin/postgres"), ("container", POSTGRES), ("wheel", "/bin/postgres")]
)
def test_a_postgresql_server_can_be_had_in_each_way(monkeypatch: pytest.MonkeyPatch, way: str, origin: str) -> None:
    monkeypatch.setenv("TALLY_TEST_SERVERS", way)
    with postgres() as server:
        assert server.origin.endswith(origin)
        assert told_version(server).startswith("PostgreSQL ")


@pytest.mark.parametrize(("way", "origin"), [("binary", "mariadbd"), ("container", MARIADB)])
def test_a_mariadb_server_can_be_had_in_each_way(monkeypatch: pytest.MonkeyPatch, way: str, origin: str) -> None:
    monkeypatch.setenv("TALLY_TEST_SERVERS", way)
    with mariadb() as server:
        assert server.origin.endswith(origin)
        assert "MariaDB" in told_version(server)


def test_a_server_that_the_environment_names_comes_first(
    monkeypatch: pytest.MonkeyPatch, postgres_server: Server
) -> None:
    plain = postgres_server.admin.set(drivername="postgresql")
    monkeypatch.setenv("TALLY_TEST_POSTGRES_URL", plain.render_as_string(hide_password=False))
    with postgres() as server:
        assert server == Server(postgres_server.admin, "TALLY_TEST_POSTGRES_URL")


def test_where_there_is_none_the_test_is_skipped_and_told_what_was_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TALLY_TEST_SERVERS", "address,binary,wheel")
    monkeypatch.delenv("TALLY_TEST_POSTGRES_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(database_binaries, "POSTGRES", tmp_path)
    monkeypatch.setattr(database_binaries, "WHEEL", "no_such_wheel")
    with pytest.raises(pytest.skip.Exception) as skipped, postgres():
        pass
    assert str(skipped.value) == (
        "there is no PostgreSQL server: TALLY_TEST_SERVERS allows only address, binary, wheel;"
        f" TALLY_TEST_POSTGRES_URL is not set; no postgres and initdb in {tmp_path} or on the PATH;"
        " no wheel no_such_wheel is installed"
    )


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_shop_leaves_nothing_in_its_server(request: pytest.FixtureRequest, kind: str) -> None:
    server: Server = request.getfixturevalue("postgres_server" if kind == "postgresql" else "mariadb_server")
    shop = server_shop(server, kind)
    shop.orders(1)
    name, schema, clerk = str(shop.url.database), shop.schema(), str(shop.user("SELECT ON orders").username)
    assert in_the_server(server, name) == [name]
    assert in_the_server(server, clerk) == [clerk]
    shop.close()
    assert [in_the_server(server, left) for left in (name, schema, clerk)] == [[], [], []]
