"""The console's HTTP server: binds, says where it listens, bounds slow clients, and stops though streams are read."""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.errors import SETTINGS_INVALID, TallyError
from shared.listening import listen, url_of
from shared.serving import AnnouncingServer
from shared.settings import ListenSettings

KEEP_ALIVE = 30
HEADERS_WITHIN = 10.0
LARGEST_HEADERS = 32 * 1024
MOST_CONNECTIONS = 256
GRACE = 5


class BoundedProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, where a request's headers have HEADERS_WITHIN seconds to arrive."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Expect a request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take what came; where no request is whole by it, the rest of it is expected."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._relax()
        elif self._late is None:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing further."""
        self._relax()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._late = self.loop.call_later(HEADERS_WITHIN, self.transport.abort)

    def _relax(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def serve(app: ASGIApp, listener: socket.socket, stopping: asyncio.Event) -> None:
    """Serve `app` until SIGTERM or SIGINT."""
    server_of(app, listener, stopping).run([listener])


def server_of(app: ASGIApp, listener: socket.socket, stopping: asyncio.Event) -> AnnouncingServer:
    """What serves `app`."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=LARGEST_HEADERS,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    return AnnouncingServer(config, url_of(listener), stopping)


def listening(settings: ListenSettings) -> socket.socket:
    """A listening socket: the supervisor's, or one of our own. Raises E-5002 where the address will not do."""
    if settings.fd is None:
        return listen(settings.host, settings.port, setting="TALLY_CONSOLE__PORT")
    try:
        return socket.socket(fileno=settings.fd)
    except OSError as error:
        reason = f"{settings.fd} is no socket ({error.strerror})"
        raise TallyError(SETTINGS_INVALID, setting="TALLY_CONSOLE__FD", reason=reason) from error
