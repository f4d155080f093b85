"""What a console is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from shared.settings.client import ClientSettings


def _split_names(value: object) -> object:
    return tuple(name.strip().lower() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


class ListenSettings(BaseModel):
    """Where the console listens (port 0: a free one), whom it lets in, and by which names it is reached.

    Without `token` it serves this machine only, and whoever is on it. `names` are the host names, besides localhost and
    addresses, that a request may call it by. With `fd` it serves a socket that its supervisor listens on already.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    token: SecretStr = SecretStr("")
    names: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names)] = ()
    fd: Annotated[int, Field(ge=0)] | None = None


class ConsoleSettings(ClientSettings):
    """The console: a client of the bus, and where it serves HTTP."""

    console: ListenSettings = Field(default_factory=ListenSettings)
