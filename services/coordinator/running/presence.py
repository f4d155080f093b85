"""The coordinator's heartbeat in the job database: by it the next one to start knows whether anybody was there."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from services.coordinator.database import interruption
from services.coordinator.database.engine import Database
from services.coordinator.metrics import LEDGER_CREATED
from services.coordinator.running.progress import Progress
from shared.bus.ledger import Ledger
from shared.bus.publishing import fresh_id
from shared.clock import Clock
from shared.errors import TallyError
from shared.telemetry import logger

log = logger("presence")

_BEATS_TO_MISS = 5
_LEAVES_WITHIN = 5.0


class Heartbeat:
    """Says that this coordinator lives, several times within the `counts_for` seconds that a heartbeat counts.

    `replay` records what came to the ledger behind a sequence, and says how far that went.
    """

    def __init__(
        self,
        database: Database,
        progress: Progress,
        ledger: Ledger,
        clock: Clock,
        *,
        house_run: str,
        counts_for: float,
        replay: Callable[[int], Awaitable[int]],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._progress = progress
        self._clock = clock
        self._replay = replay
        self.pause = counts_for / _BEATS_TO_MISS
        owner = f"{socket.gethostname()[:20]}:{os.getpid()}:{fresh_id()[:12]}"
        self._presence = interruption.Presence(owner, house_run, timedelta(seconds=counts_for))

    async def arrive(self) -> None:
        """Begin; jobs that ran while no coordinator was there are interrupted before anything else is done.

        A ledger that is behind where it is known to have been, or older than one that is known of, is replaced; a job
        database that is behind the ledger learns what it lacks.
        """
        epoch = await self._ledger.refresh()
        self._ledger.recall(await self._database.read(interruption.remembered_ledger))
        mark = self._ledger.mark
        await self._ledger.keep_up()
        for step in await self._database.write(interruption.arrive, self._presence, self._clock()):
            log.warning("a job was interrupted", job=step.job_id, status=step.entered)
            await self._progress.follow(step)
        if self._ledger.epoch == epoch:
            self._ledger.note(epoch, await self._replay(mark))

    async def leave(self) -> None:
        """End: note how far the ledger has come, for it may be put back before another coordinator starts.

        A job database that is away has the last heartbeat's.
        """
        try:
            async with asyncio.timeout(_LEAVES_WITHIN):
                await self._database.write(interruption.remember_ledger, self._ledger.known)
        except (TallyError, TimeoutError) as error:
            log.warning("how far the ledger has come cannot be noted", error=repr(error))

    async def beat(self) -> None:
        """Say so once, and how far the ledger has come."""
        LEDGER_CREATED.set(datetime.fromisoformat(self._ledger.epoch).timestamp())
        await self._database.write(interruption.beat, self._presence, self._clock(), self._ledger.known)
