"""Sockets that a process listens on."""

from __future__ import annotations

import socket

from shared.errors import SETTINGS_INVALID, TallyError


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """A socket that listens at `host`, on a free port where that is 0. Raises E-5002, of `setting`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise TallyError(SETTINGS_INVALID, setting=setting, reason=reason) from error


def url_of(listener: socket.socket) -> str:
    """Where a socket listens, as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
