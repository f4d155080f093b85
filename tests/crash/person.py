"""The person whom a job asks for: resumes what failed for a passing cause, resolves what is in doubt by the carrier's
own books."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.crash.bell import PATIENCE
from tests.crash.house_settings import LONGEST_COMMIT
from tests.crash.rig import Rig

_PATIENCE_WITH_INTERRUPTION = 6.0
_MOST_HELP = 60
_ENDS = {"completed", "completed_with_warnings", "cancelled"}


class Person:
    """Looks after jobs; `helped` counts how often each needed it."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.helped: Counter[str] = Counter()

    async def see_through(self, job_id: str, within: float = PATIENCE) -> None:
        """Wait for a job's end and do whatever it asks a person for on its way; raises TimeoutError."""
        async with asyncio.timeout(within):
            while await self._rig.until_settled(job_id, within) not in _ENDS:
                await self.help(job_id)

    async def help(self, job_id: str) -> None:
        """Resolve what is in doubt and resume; a job that was interrupted may be about to go on by itself.

        Raises TimeoutError where a job needs help for ever.
        """
        status, _, _ = self._rig.database.progress(job_id)
        if status == "interrupted" and await self._goes_on_by_itself(job_id):
            return
        if self.helped[job_id] >= _MOST_HELP:
            raise TimeoutError(f"job {job_id} is {status} in spite of {_MOST_HELP} resumes")
        self.helped[job_id] += 1
        await self._resolve(job_id)
        await self._rig.call("resume", job_id=job_id, by="a person")

    async def _goes_on_by_itself(self, job_id: str) -> bool:
        try:
            await self._rig.until(
                lambda: self._rig.database.progress(job_id)[0] != "interrupted",
                "the job to go on",
                within=_PATIENCE_WITH_INTERRUPTION,
            )
        except TimeoutError:
            return False
        return True

    async def _resolve(self, job_id: str) -> None:
        doubtful = [row for row in self._rig.database.job(job_id).rows if row.status == "in_doubt"]
        if not doubtful:
            return
        await asyncio.sleep(LONGEST_COMMIT)  # a person asks once nothing more can be sold
        sold = {sale.reference: sale for sale in await self._rig.sold() if not sale.voided}
        for row in doubtful:
            sale = sold.get(row.reference)
            number = None if sale is None else sale.tracking_numbers[0]
            await self._rig.call(
                "resolve", job_id=job_id, row_number=row.number, tracking_number=number, by="a person", reason="asked"
            )
