"""`python -m shared.health [--ready]`: a container's health check.

Asks the process beside it, at `TALLY_HTTP__PORT`, whether it lives, or whether it is ready. Exits with 0 or 1, and says
on standard output what is lacking. Only the standard library is loaded, for it is run every few seconds.
"""

from __future__ import annotations

import http.client
import os
import sys
import tomllib
from pathlib import Path

_WITHIN = 5.0
_OK = 200
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # nosec B104  # noqa: S104 - where to ask, not where to listen


def main(arguments: list[str]) -> int:
    """0 where the process answers that it is well, else 1."""
    host, port = _address()
    if not port:
        sys.stdout.write("TALLY_HTTP__PORT is not set\n")
        return 1
    connection = http.client.HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=_WITHIN)
    try:
        connection.request("GET", "/readyz" if "--ready" in arguments else "/livez")
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"no answer at port {port}: {error}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{body}\n")
    return 0 if response.status == _OK else 1


def _address() -> tuple[str, int]:
    """Host and port as the service has them: the environment over tally.toml over the defaults."""
    path = Path("tally.toml")
    given = tomllib.loads(path.read_text(encoding="utf-8")).get("http", {}) if path.exists() else {}
    host = os.environ.get("TALLY_HTTP__HOST", given.get("host", "127.0.0.1"))
    port = os.environ.get("TALLY_HTTP__PORT", given.get("port", 0))
    return str(host), int(port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
