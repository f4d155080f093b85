"""A process's HTTP server that says where it listens, so that a supervisor knows when it serves."""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import uvicorn


class AnnouncingServer(uvicorn.Server):
    """uvicorn, with a line of JSON on standard output once it is ready; `stopping` is set when it is told to stop."""

    def __init__(self, config: uvicorn.Config, url: str, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._url = url
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where."""
        await super().startup(sockets)
        sys.stdout.write(json.dumps({"event": "listening", "url": self._url}) + "\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Have what waits for `stopping` let go of its calls, then stop."""
        self._stopping.set()
        await super().shutdown(sockets)
