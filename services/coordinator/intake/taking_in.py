"""A request's rows on their way into the job database: a page at a time, each in a transaction of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial

from services.coordinator.database import intake as admission
from services.coordinator.database import previewing
from services.coordinator.database.engine import Database
from services.coordinator.database.new_rows import StoredRows
from services.coordinator.intake.intake import Intake
from services.coordinator.intake.judges import Judges
from services.coordinator.intake.turns import IntakeTurn
from shared.cancelling import cancel
from shared.clock import Clock
from shared.contracts.requests import JobRequest

LONG_FROM = 2000


class TakingIn:
    """Copies sources' rows into jobs. An intake that comes to LONG_FROM rows goes on among the long ones (turns.py)."""

    def __init__(self, installation: str, database: Database, intake: Intake, judges: Judges, clock: Clock) -> None:
        self._installation = installation
        self._database = database
        self._intake = intake
        self._judges = judges
        self._clock = clock

    async def take_in(self, job_id: str, intake: str, request: JobRequest, turn: IntakeTurn) -> int:
        """Copy every row of the request's source into the job, as the intake called `intake`; how many there are.

        Raises TallyError where they cannot be, and SupersededError where another intake of the job went on; what is
        stored by then is no batch and counts for nothing.
        """
        async with self._judges.judging() as judges, self._intake.open(request, found=judges.expect) as batch:
            await self._database.write(admission.begin_intake, job_id, intake, batch.source, self._clock())
            stored = 0
            async with aclosing(_one_ahead(batch.to_store(judges))) as pages:
                async for rows in pages:
                    if stored < LONG_FROM <= stored + len(rows):
                        await turn.becomes_long(partial(self._say_it_goes_on, job_id, intake))
                    await self._database.write(
                        admission.add_rows, job_id, intake, self._installation, stored + 1, rows, self._clock()
                    )
                    stored += len(rows)
            mapping = batch.mapping
            await self._database.write(
                admission.finish_intake,
                job_id,
                intake,
                batch.total,
                mapping.checksum,
                self._clock(),
                admission.Reading(mapping.name, batch.settled.orders, batch.snapshot.notes, batch.invalid),
            )
        return stored

    async def _say_it_goes_on(self, job_id: str, intake: str) -> None:
        await self._database.write(previewing.note_prices, job_id, intake, (), self._clock())


async def _one_ahead(pages: AsyncIterator[StoredRows]) -> AsyncGenerator[StoredRows, None]:
    """The pages, the next of which is made while one is stored."""

    async def following() -> StoredRows | None:
        return await anext(pages, None)

    ahead = asyncio.create_task(following())
    try:
        while (page := await ahead) is not None:
            ahead = asyncio.create_task(following())
            yield page
    finally:
        await cancel([ahead])
        # Where storing failed nobody asks any more what became of it.
        await asyncio.gather(ahead, return_exceptions=True)
