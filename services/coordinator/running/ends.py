"""Jobs that have nothing left to do but the check of their source."""

from __future__ import annotations

import asyncio


class JobsAtTheirEnd:
    """The jobs whose check is due, each once."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._known: set[str] = set()

    def add(self, job_id: str) -> None:
        """Note that a job's check is due; that it is known to be already is nothing new."""
        if job_id not in self._known:
            self._known.add(job_id)
            self._queue.put_nowait(job_id)

    async def next(self) -> str:
        """The next job."""
        return await self._queue.get()

    def forget(self, job_id: str) -> None:
        """A job's check is over, however it ended."""
        self._known.discard(job_id)
