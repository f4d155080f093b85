"""Where the job database is: its URL as SQLAlchemy opens it, and the driver's arguments (docs/guides/postgres.md)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import SETTINGS_INVALID, TallyError
from shared.sources.database_address import TLS_WORDS, take_tls

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


def read_address(text: str) -> tuple[URL, dict[str, Any]]:
    """The URL of the async driver for `TALLY_DATABASE_URL`, and the driver's arguments; raises E-5002."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _invalid("it is no URL") from error
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise _invalid("it has to begin with sqlite: or postgresql:")
    url = url.set(drivername=driver)
    if url.get_backend_name() == "sqlite":
        return url, {}
    if unknown := sorted(url.query.keys() - set(TLS_WORDS)):
        raise _invalid(f"it may not ask for {', '.join(unknown)}")
    url, tls = take_tls(url, _invalid)
    return url, {"ssl": "prefer" if tls is None else tls}


def _invalid(reason: str) -> TallyError:
    return TallyError(SETTINGS_INVALID, setting="TALLY_DATABASE_URL", reason=reason)
