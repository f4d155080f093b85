"""The sandbox's HTTP server: binds, says where it listens, and stops without keeping hung calls alive."""

from __future__ import annotations

import asyncio
import sqlite3

import uvicorn

from services.sandbox.app import build
from services.sandbox.connections import OpenProtocol
from shared.errors import SETTINGS_INVALID, TallyError
from shared.listening import listen, url_of
from shared.serving import AnnouncingServer
from shared.settings import SandboxSettings

# Longer than any client keeps an idle connection: a close that races a request would look like a lost answer.
KEEP_ALIVE = 300
GRACE = 5


def serve(settings: SandboxSettings) -> None:
    """Serve until SIGTERM or SIGINT; raises TallyError E-5002 where the address or the data directory will not do."""
    stopping = asyncio.Event()
    try:
        app = build(settings, stopping)
    except (OSError, sqlite3.Error) as error:
        raise TallyError(SETTINGS_INVALID, setting="TALLY_DATA_DIR", reason=str(error)) from error
    listener = listen(settings.host, settings.port, setting="TALLY_PORT")
    config = uvicorn.Config(
        app,
        http=OpenProtocol,
        ws="none",
        log_config=None,  # it logs as the house does
        log_level="warning",  # what uvicorn notes of its start and stop is said by the line on standard output
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    AnnouncingServer(config, url_of(listener), stopping).run([listener])
