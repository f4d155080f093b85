"""Connections by TLS, as their URLs ask for it: to the server that a certificate stands for, and to no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from shared.errors import TallyError
from shared.settings import ConnectionSettings
from shared.sources.database_connection import Connections
from tests.integration.certificates import authority, certificate
from tests.integration.database_binaries import Certificate
from tests.integration.database_server import PASSWORD, Server
from tests.integration.database_servers import secured_mariadb, secured_postgres

IN_USE = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status WHERE variable_name = 'SSL_CIPHER'",
}


@dataclass(frozen=True)
class Secured:
    """Two servers of one kind, which one authority has certified: one by its address, one by another name."""

    kind: str
    authority: Path
    stranger: Path
    client: Certificate
    right: Server
    wrong: Server

    def ask(self, server: Server, query: dict[str, str], user: str = "tally") -> bool:
        """Whether TLS is in use on a connection whose URL has this query. Raises E-1041."""
        url = server.admin.set(drivername=self.kind, username=user).update_query_dict(query)
        settings = ConnectionSettings(url=SecretStr(url.render_as_string(hide_password=False)))
        connections = Connections({"shop": settings})
        try:
            with connections.find("shop").reading() as connection:
                return bool(connection.execute(text(IN_USE[self.kind])).scalar_one())
        finally:
            connections.close()

    def demanding(self, authority: Path) -> dict[str, str]:
        """The query of a URL that demands a certificate for the server's name by an authority."""
        return {"sslmode": "verify-full", "sslrootcert": str(authority)}


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    trusted, stranger = authority(folder, "trusted"), authority(folder, "stranger")
    serve = secured_postgres if request.param == "postgresql" else secured_mariadb
    by_address = certificate(folder, "right", "IP:127.0.0.1")
    client = certificate(folder, "client", "DNS:client")
    by_name = certificate(folder, "wrong", "DNS:elsewhere.example.com")
    with serve(by_address) as right, serve(by_name) as wrong:
        yield Secured(request.param, trusted, stranger, client, right, wrong)


def test_a_server_that_its_certificate_stands_for_is_spoken_to_by_tls(secured: Secured) -> None:
    assert secured.ask(secured.right, secured.demanding(secured.authority))


def test_a_certificate_by_an_authority_nobody_trusts_ends_the_connection(secured: Secured) -> None:
    with pytest.raises(TallyError, match=r"E-1041: .*certificate verify failed"):
        secured.ask(secured.right, secured.demanding(secured.stranger))


def test_a_certificate_for_another_name_ends_the_connection(secured: Secured) -> None:
    with pytest.raises(TallyError, match=r"E-1041: .*IP address mismatch"):
        secured.ask(secured.wrong, secured.demanding(secured.authority))


def test_a_certificate_for_another_name_will_do_where_only_its_authority_is_asked_for(secured: Secured) -> None:
    assert secured.ask(secured.wrong, secured.demanding(secured.authority) | {"sslmode": "verify-ca"})


def test_a_certificate_that_nobody_checks_is_enough_for_tls(secured: Secured) -> None:
    assert secured.ask(secured.wrong, {"sslmode": "require"})


def test_the_authorities_of_the_system_are_asked_where_the_url_names_none(secured: Secured) -> None:
    with pytest.raises(TallyError, match=r"E-1041: .*certificate verify failed"):
        secured.ask(secured.right, {"sslmode": "verify-full"})


def test_tls_is_used_where_the_server_has_it_though_nobody_asks(secured: Secured) -> None:
    assert secured.ask(secured.right, {})


def test_a_server_that_wants_to_see_a_certificate_is_shown_one(secured: Secured) -> None:
    if secured.kind == "postgresql":
        secured.right.execute(f"CREATE ROLE certified LOGIN PASSWORD '{PASSWORD}'")
    else:
        secured.right.execute(
            f"CREATE USER certified@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' REQUIRE X509",
            "GRANT ALL ON mysql.* TO certified@'127.0.0.1'",
        )
    asked = secured.demanding(secured.authority)
    with pytest.raises(TallyError, match="E-1041"):
        secured.ask(secured.right, asked, "certified")
    shown = {"sslcert": str(secured.client.chain), "sslkey": str(secured.client.key)}
    assert secured.ask(secured.right, asked | shown, "certified")


def test_a_server_that_speaks_tls_only_is_not_reached_without(secured: Secured) -> None:
    if secured.kind == "mariadb":
        secured.right.execute("SET GLOBAL require_secure_transport = ON")
    with pytest.raises(TallyError, match="E-1041"):
        secured.ask(secured.right, {"sslmode": "disable"})
