"""The URL of a connection: which databases there are, which driver speaks to each, and what the URL may ask for."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import SETTINGS_INVALID, TallyError
from shared.settings import ConnectionSettings

CONNECT_TIMEOUT = 10  # seconds
ANSWER_TIMEOUT = 60  # seconds to wait for a server's next bytes
LOCK_TIMEOUT = 5  # seconds to wait for a row that another transaction holds

_PORTS = {"postgresql": 5432}

_DRIVERS = {
    "postgresql": "postgresql+pg8000",
    "postgres": "postgresql+pg8000",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}
TLS_WORDS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
# What a URL may ask for besides host, port, user, password and database: the rest would reach the driver unchecked.
_QUERIES = {
    "postgresql": {"application_name", "unix_sock", *TLS_WORDS},
    "mysql": {"charset", "unix_socket", *TLS_WORDS},
    "sqlite": set[str](),
}
_QUERIES["mariadb"] = _QUERIES["mysql"]
_SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")


def read_address(name: str, settings: ConnectionSettings) -> tuple[URL, dict[str, Any]]:
    """The URL that SQLAlchemy is to open for the connection called `name`, and the driver's arguments.

    Raises E-5002 for a URL of another kind of database, or one that asks for what no connection may have.
    """
    url = _parsed(name, settings.url.get_secret_value())
    backend = url.get_backend_name()
    if unknown := sorted(url.query.keys() - _QUERIES[backend]):
        raise _invalid(name, f"its URL may not ask for {', '.join(unknown)}")
    if backend == "sqlite":
        return _sqlite(name, url), {"timeout": LOCK_TIMEOUT, "check_same_thread": False}
    url, tls = take_tls(url, partial(_invalid, name))
    if backend == "postgresql":
        return url, {"timeout": ANSWER_TIMEOUT, "ssl_context": tls}
    timeouts = {"connect_timeout": CONNECT_TIMEOUT, "read_timeout": ANSWER_TIMEOUT, "write_timeout": ANSWER_TIMEOUT}
    return url, timeouts | ({"ssl_disabled": True} if tls is False else {"ssl": tls})


def connections_into(url: str, connections: Mapping[str, ConnectionSettings]) -> dict[str, bool]:
    """The names of those `connections` that lead to the database at `url`, each with its `mark_table`.

    On a server only one that has the same user does: what that user may not do, no other does in its place. A server
    that is named in two ways counts as two. Raises E-5002 for a connection's URL that cannot be one.
    """
    place = _place(make_url(url))
    return {
        name: each.mark_table
        for name, each in connections.items()
        if place is not None and place == _place(_parsed(name, each.url.get_secret_value()))
    }


def _place(url: URL) -> tuple[object, ...] | None:
    """What two URLs have in common where they lead to one database for sure; None where that cannot be told."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return (backend, Path(url.database).resolve()) if url.database else None
    if url.host is None or url.query.keys() & {"host", "unix_sock"}:
        return None
    return backend, url.host.lower(), url.port or _PORTS.get(backend), url.database or url.username, url.username


def _parsed(name: str, text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _invalid(name, "it is no URL") from error
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise _invalid(name, f"its URL has to begin with one of {', '.join(f'{kind}:' for kind in _DRIVERS)}")
    return url.set(drivername=driver)


def _sqlite(name: str, url: URL) -> URL:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise _invalid(name, "its URL has to name a database file, as sqlite:////srv/orders.db does")
    # Without this mode SQLite would make an empty database where there is none.
    file = quote(str(Path(url.database).absolute()))
    return URL.create(url.drivername, database=f"file:{file}", query={"mode": "rw", "uri": "true"})


def take_tls(url: URL, invalid: Callable[[str], TallyError]) -> tuple[URL, ssl.SSLContext | bool | None]:
    """A URL without what it says of TLS, and how its server is to be spoken to.

    False is without TLS, None by TLS if the server has it, a context by TLS or not at all. It is made here for every
    driver: each has its own idea of what a few words in a URL ask to be checked. Raises what `invalid` makes of it.
    """
    return url.difference_update_query(TLS_WORDS), _tls(url, invalid)


def _tls(url: URL, invalid: Callable[[str], TallyError]) -> ssl.SSLContext | bool | None:
    mode, root, certificate, key = (_asked(url, word) for word in TLS_WORDS)
    mode = mode or "prefer"
    if mode not in _SSL_MODES:
        raise invalid(f"its sslmode has to be one of {', '.join(_SSL_MODES)}")
    if mode in {"disable", "prefer"}:
        if root or certificate or key:
            raise invalid(f"its sslmode {mode} checks no certificate; it has to be require or stricter")
        return None if mode == "prefer" else False
    word = "sslrootcert"
    try:
        context = ssl.create_default_context(cafile=root)
        if certificate is not None:
            word = "sslcert"
            context.load_cert_chain(certificate, key)
    except OSError as error:
        raise invalid(f"the certificates at its {word} cannot be read ({error.strerror})") from error
    context.check_hostname = mode == "verify-full"
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context


def _asked(url: URL, word: str) -> str | None:
    given = url.query.get(word)
    return None if given is None else str(given)


def _invalid(name: str, reason: str) -> TallyError:
    return TallyError(SETTINGS_INVALID, setting=f"TALLY_CONNECTIONS__{name.upper()}", reason=reason)
