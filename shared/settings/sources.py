"""Where orders are: the folders and the databases that a service may reach."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, SecretStr, StringConstraints
from pydantic_settings import NoDecode


def _split_paths(value: object) -> object:
    return tuple(Path(part) for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


Roots = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split_paths)]


class ConnectionSettings(BaseModel):
    """A database that holds orders: `postgresql://…`, `mysql://…`, `mariadb://…` or `sqlite:///…`.

    With `mark_table` each write-back is marked in a table of Tallyman's own there, made where the user may make it.
    """

    url: SecretStr
    mark_table: bool = True


def _read_connections(value: object) -> object:
    """Connections by their names in lower case; one that is given as a text is a URL."""
    if not isinstance(value, dict):
        return value
    return {
        name.lower(): {"url": given} if isinstance(given, str) else given
        for name, given in value.items()
        # Where the environment has NAME_FILE, its content is in NAME, and its path is no connection.
        if not (name.lower().endswith("_file") and f"TALLY_CONNECTIONS__{name.upper()}" in os.environ)
    }


NamedConnections = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")], ConnectionSettings],
    BeforeValidator(_read_connections),
]
