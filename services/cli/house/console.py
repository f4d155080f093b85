"""The house's console: where it listens, and the token that lets people in.

The supervisor listens, and the console serves what comes in: so a port that is free is not lost between the two, and
whoever calls while the console is started again waits instead of being refused.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.cli.house.specs import ProcessSpec, module, prints_listening
from shared.errors import TallyError
from shared.listening import listen, url_of
from shared.settings import ConsoleSettings, ListenSettings, load

_SETTING = "TALLY_CONSOLE__PORT"
# A client needs neither the carrier's credentials nor those of a database.
_NOT_ITS_BUSINESS = ("TALLY_CARRIER__", "TALLY_CONNECTIONS__", "TALLY_DATABASE_")


@dataclass(frozen=True)
class Console:
    """A console to be run; `token_file` is null where a person set a token of their own."""

    listener: socket.socket
    token_file: str | None

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        return url_of(self.listener).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

    def spec(self, environment: Mapping[str, str]) -> ProcessSpec:
        """The process to run, in what of the house's `environment` is its business."""
        own = {name: value for name, value in environment.items() if not name.startswith(_NOT_ITS_BUSINESS)}
        descriptor = self.listener.fileno()
        own["TALLY_CONSOLE__FD"] = str(descriptor)
        if self.token_file is not None:
            own["TALLY_CONSOLE__TOKEN_FILE"] = self.token_file
        return ProcessSpec("console", module("console"), own, prints_listening(), (descriptor,))


def furnish_console(data_dir: Path, former_url: str | None) -> Console:
    """The house's console; its port is the one that is set, else the former one or 8000, else a free one.

    Raises E-5002 where the address that is set will not do.
    """
    settings = load(ConsoleSettings).console
    token_file = None if settings.token.get_secret_value() else _token_file(data_dir)
    return Console(_listener(settings, former_url), token_file)


def _listener(settings: ListenSettings, former_url: str | None) -> socket.socket:
    if "port" in settings.model_fields_set:
        return listen(settings.host, settings.port, setting=_SETTING)
    for port in _preferred(settings, former_url):
        try:
            return listen(settings.host, port, setting=_SETTING)
        except TallyError:
            continue  # somebody else's; any other port will do
    return listen(settings.host, 0, setting=_SETTING)


def _preferred(settings: ListenSettings, former_url: str | None) -> Iterator[int]:
    """People may have noted the former address."""
    if former_url is not None and (former := urlsplit(former_url).port):
        yield former
    yield settings.port


def _token_file(data_dir: Path) -> str:
    """The file that keeps the house's token, for its owner only; made where there is none."""
    path = data_dir / "console.token"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return str(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{secrets.token_urlsafe(32)}\n")
    return str(path)
