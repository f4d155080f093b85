"""Reads a job's source again and finds the numbers that do not stand there any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from services.coordinator.database import checks, lineage, queries
from services.coordinator.database.engine import Database
from services.coordinator.database.lineage import ShippedSince
from services.coordinator.sources.source_check import StandingNumbers, WrittenNumber, lacking, open_written
from shared.contracts.documents import JobDocument, UnverifiedRow
from shared.contracts.source import DatabaseSource, Source, has_sidecar
from shared.errors import SOURCE_EMPTY, TallyError
from shared.sources.database import marked_in_view
from shared.sources.database_connection import Connections
from shared.sources.snapshot import Snapshot
from shared.telemetry import logger

log = logger("checker")

_PAGE = 2000
_RETRY_AFTER = (1.0, 2.0, 4.0)


class SourceChecker:
    """Compares sources under `roots`, or of named connections, with the job database; memory stays flat."""

    def __init__(self, database: Database, roots: Sequence[Path], connections: Connections) -> None:
        self._database = database
        self._roots = tuple(roots)
        self._connections = connections

    async def missing(self, job_id: str) -> list[int]:
        """The rows of a job whose numbers were written into its source and do not stand there, or were cleared and do.

        Where the source cannot be read they are all that were written: writing will say why.
        """
        job = await self._database.read(queries.show_job, job_id)
        if job.source is None or not job.write_back.written:
            return []
        try:
            snapshot = await self._open(job.source)
        except TallyError as error:
            log.warning("a job's source cannot be read", job=job_id, code=error.body.code)
            return [one.row_number async for page in self._pages(job_id) for one in page]
        try:
            standing = StandingNumbers(snapshot)
            uncleared = [one.row_number for one in await self._uncleared(job_id, standing)]
            return [*await self._missing(job_id, standing), *uncleared]
        finally:
            await asyncio.to_thread(snapshot.close)

    async def unverified(self, job: JobDocument) -> list[UnverifiedRow]:
        """The rows of a job whose numbers do not stand in its source and are not on their way there, by what is wrong.

        Numbers of voided labels that stand there are wrong as well. Raises as opening the source does.
        """
        assert job.source is not None
        found = await self._found(job.job_id, job.source)
        if isinstance(job.source, DatabaseSource):
            found = await self._but_those_a_view_hides(job.job_id, job.source, found)
        wanted = [one.row_number for one in found if one.verdict != "voided"]
        since = await self._database.read(lineage.shipped_since, job.job_id, wanted)
        return [_replaced(one, since[one.row_number]) if one.row_number in since else one for one in found]

    async def _found(self, job_id: str, source: Source) -> list[UnverifiedRow]:
        try:
            snapshot = await self._open(source)
        except TallyError as error:
            if error.kind is not SOURCE_EMPTY or not isinstance(source, DatabaseSource):
                raise
            written = [one.row_number async for page in self._pages(job_id) for one in page]
            expected = await self._database.read(checks.expected_numbers, job_id, written)
            return [lacking(one).model_copy(update={"verdict": "gone"}) for one in expected]
        try:
            standing = StandingNumbers(snapshot)
            missing = await self._missing(job_id, standing)
            expected = await self._database.read(checks.expected_numbers, job_id, missing)
            uncleared = await self._uncleared(job_id, standing)
            if has_sidecar(source):
                # A file beside the source has a line for a row, or has none.
                return [*map(lacking, expected), *uncleared]
            found = await asyncio.to_thread(standing.unverified, expected) if expected else []
            return found + uncleared
        finally:
            await asyncio.to_thread(snapshot.close)

    async def _but_those_a_view_hides(
        self, job_id: str, source: DatabaseSource, found: list[UnverifiedRow]
    ) -> list[UnverifiedRow]:
        """Without the rows that a view, of the orders without a number say, shows no more since theirs was written."""
        gone = [one.row_number for one in found if one.verdict == "gone"]
        if not gone:
            return found
        marked = await asyncio.to_thread(marked_in_view, source, self._connections, job_id, gone)
        return [one for one in found if one.verdict != "gone" or marked.get(one.row_number) != {one.tracking_number}]

    async def _missing(self, job_id: str, standing: StandingNumbers) -> list[int]:
        displaced: list[WrittenNumber] = []
        async for page in self._pages(job_id):
            displaced += await asyncio.to_thread(standing.displaced, page)
        return await asyncio.to_thread(standing.missing, displaced) if displaced else []

    async def _uncleared(self, job_id: str, standing: StandingNumbers) -> list[UnverifiedRow]:
        cleared = await self._database.read(checks.cleared_numbers, job_id)
        return await asyncio.to_thread(standing.uncleared, cleared) if cleared else []

    async def _open(self, source: Source) -> Snapshot:
        """The source as it is now; one that cannot be reached for a moment is asked for again."""
        for pause in (*_RETRY_AFTER, None):
            try:
                return await asyncio.to_thread(open_written, source, self._roots, self._connections)
            except TallyError as error:
                if pause is None or not error.kind.retryable:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _pages(self, job_id: str) -> AsyncIterator[list[WrittenNumber]]:
        after = 0
        while page := await self._database.read(checks.written_numbers, job_id, after, _PAGE):
            yield page
            after = page[-1].row_number


def _replaced(one: UnverifiedRow, since: ShippedSince) -> UnverifiedRow:
    """A number that is not to stand there any more: another job has shipped the order since."""
    return one.model_copy(update={"verdict": "replaced", "found": since.number, "later_job": since.job_id})
