"""The embedded NATS server: which binary, which port, which configuration."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess  # nosec B404 - to ask nats-server for its version
import sys
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import NATS_SERVER_MISSING, TallyError

OLDEST = (2, 12)
_VERSION_WITHIN = 10.0
_TRIES = 10


def find_server() -> str:
    """The server's path: a new enough one on PATH, else the one installed beside this interpreter.

    Raises E-5006 where there is none of version 2.12 or newer.
    """
    beside = str(Path(sys.executable).parent)
    for folders in (os.environ.get("PATH", os.defpath), beside):
        found = shutil.which("nats-server", path=folders)
        if found and _version(found) >= OLDEST:
            return found
    raise TallyError(NATS_SERVER_MISSING)


def parse_version(answer: str) -> tuple[int, ...]:
    """`nats-server: v2.15.1` as (2, 15, 1); empty where no version is in it."""
    found = re.search(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?", answer)
    return tuple(int(part) for part in found.groups() if part) if found else ()


def configuration(port: int, data_dir: Path) -> str:
    """The server's configuration file. JSON strings are valid there, so any path is quoted safely.

    `sync_interval` is only honoured on a line of its own.
    """
    return f"""# Written anew by every tally up.
server_name: tally
listen: "127.0.0.1:{port}"
jetstream {{
  store_dir: {json.dumps(str(data_dir / "nats"), ensure_ascii=False)}
  sync_interval: always
}}
"""


def choose_port(former_url: str | None, taken: int | None = None) -> int:
    """A free port on 127.0.0.1, the one of `former_url` where it is free: clients may have noted it."""
    former = urlsplit(former_url).port if former_url else None
    for port in (former or 0, *[0] * _TRIES):
        free = _bindable(port)
        if free is not None and free != taken:
            return free
    raise OSError("no free port on 127.0.0.1")


def _bindable(port: int) -> int | None:
    with socket.socket() as probe:
        # A server may take a port whose last connections are still in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


def _version(server: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run(  # nosec B603  # noqa: S603 - the path is PATH's own nats-server
            [server, "-v"], capture_output=True, text=True, timeout=_VERSION_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse_version(answer.stdout)
