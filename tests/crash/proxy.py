"""A TCP proxy on loopback whose connections can be cut."""

from __future__ import annotations

import asyncio


class Proxy:
    """Passes every connection on to `port`; `cut` ends all of them at once."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._ends: set[_End] = set()
        self._refusing = False
        self.port = 0
        self.passed = 0

    async def open(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Front(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> int:
        """Reset every connection; how many there were."""
        fronts = sum(isinstance(end, _Front) for end in self._ends)
        for end in list(self._ends):
            end.abort()
        return fronts

    async def cut_for(self, seconds: float) -> int:
        """Reset every connection and refuse new ones for so long."""
        self._refusing = True
        count = self.cut()
        await asyncio.sleep(seconds)
        self._refusing = False
        return count

    def sever(self) -> None:
        """Reset every connection and refuse new ones, until `mend`."""
        self._refusing = True
        self.cut()

    def mend(self) -> None:
        """Pass connections on again."""
        self._refusing = False

    async def close(self) -> None:
        """Stop listening."""
        self.cut()
        if self._server is not None:
            self._server.close()

    def admit(self, end: _End) -> bool:
        """Count a new connection in, unless they are refused."""
        if self._refusing:
            return False
        self.passed += 1
        self._ends.add(end)
        return True

    def join(self, end: _End) -> None:
        self._ends.add(end)

    def leave(self, end: _End) -> None:
        self._ends.discard(end)

    @property
    def target(self) -> int:
        return self._target


class _End(asyncio.Protocol):
    """One side of a connection."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.proxy.leave(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class _Front(_End):
    """The side that was connected to; it reads once the other side stands."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self.proxy.admit(self):
            transport.abort()
            return
        transport.pause_reading()
        self._connecting = asyncio.ensure_future(self._connect(transport))

    async def _connect(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, back = await loop.create_connection(lambda: _Back(self.proxy, self), "127.0.0.1", self.proxy.target)
        except OSError:
            transport.abort()
            return
        self.other = back
        if transport.is_closing():
            back.abort()
        else:
            transport.resume_reading()


class _Back(_End):
    """The side towards the server."""

    def __init__(self, proxy: Proxy, front: _Front) -> None:
        super().__init__(proxy)
        self.other = front

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.proxy.join(self)
