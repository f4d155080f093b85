"""The job database by TLS, as its URL asks for it: at the server that a certificate stands for, and at no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text

from services.coordinator.database import migration
from services.coordinator.database.engine import Database
from shared.errors import TallyError
from shared.settings import CoordinatorSettings
from tests.integration.certificates import authority, certificate
from tests.integration.database_binaries import Certificate
from tests.integration.database_server import PASSWORD, Server
from tests.integration.database_servers import secured_postgres


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path, Certificate]]:
    folder = tmp_path_factory.mktemp("tls")
    authority(folder, "trusted")
    authority(folder, "stranger")
    client = certificate(folder, "client", "DNS:client")
    with secured_postgres(certificate(folder, "right", "IP:127.0.0.1")) as server:
        yield server, folder, client


def is_secured(connection: Connection) -> Any:
    return connection.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))


async def ask(server: Server, user: str = "tally", **query: str) -> Any:
    url = server.admin.set(drivername="postgresql", username=user).update_query_dict(query)
    database = Database(url.render_as_string(hide_password=False))
    try:
        return await database.read(is_secured)
    finally:
        await database.close()


async def test_a_server_that_its_certificate_stands_for_is_spoken_to_by_tls(secured: Any) -> None:
    server, folder, _ = secured
    assert await ask(server, sslmode="verify-full", sslrootcert=str(folder / "trusted.pem"))
    assert await ask(server)


async def test_a_server_that_nobody_vouches_for_is_not_spoken_to(secured: Any) -> None:
    server, folder, _ = secured
    with pytest.raises(TallyError, match=r"E-4070: .*certificate verify failed"):
        await ask(server, sslmode="verify-full", sslrootcert=str(folder / "stranger.pem"))
    with pytest.raises(TallyError, match="E-4070"):
        await ask(server, sslmode="disable")


async def test_a_server_that_wants_to_see_a_certificate_is_shown_one(secured: Any) -> None:
    server, folder, client = secured
    server.execute(f"CREATE ROLE certified LOGIN PASSWORD '{PASSWORD}'")
    asked = {"sslmode": "verify-full", "sslrootcert": str(folder / "trusted.pem")}
    with pytest.raises(TallyError, match="E-4070"):
        await ask(server, "certified", **asked)
    assert await ask(server, "certified", **asked, sslcert=str(client.chain), sslkey=str(client.key))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "no URL"),
        ("mysql://host/jobs", "begin with"),
        ("postgresql://host/jobs?options=-c", "may not ask for options"),
        ("postgresql://host/jobs?sslmode=verify-full&sslrootcert=/nowhere.pem", "sslrootcert cannot be read"),
        ("postgresql://host/jobs?sslmode=often", "sslmode has to be one of"),
    ],
)
def test_a_url_that_leads_nowhere_is_told_at_once(url: str, reason: str) -> None:
    with pytest.raises(TallyError, match=f"E-5002: TALLY_DATABASE_URL: .*{reason}"):
        Database(url)


async def test_a_password_may_come_by_itself(postgres_server: Server) -> None:
    place = postgres_server.admin
    url = f"postgresql://{place.username}@{place.host}:{place.port}/{place.database}"
    password = SecretStr(str(place.password))
    settings = CoordinatorSettings(database_url=url, database_password=password)
    database = Database(settings.job_database_url)
    assert await database.read(migration.revision_of) == migration.BASE
    await database.close()
    assert str(place.password) not in repr(settings)


def test_a_password_may_have_any_character() -> None:
    settings = CoordinatorSettings(
        database_url="postgresql://tally@host:5432/jobs?a=b", database_password=SecretStr("a@b/:c")
    )
    assert settings.job_database_url == "postgresql://tally:a%40b%2F%3Ac@host:5432/jobs?a=b"
