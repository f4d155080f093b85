"""Has writeback put a job's source back, and writes down that it did."""

from __future__ import annotations

from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.coordinator.database import restores
from services.coordinator.database.engine import Database
from services.coordinator.running.progress import Progress
from shared.clock import Clock
from shared.contracts import subjects
from shared.contracts.api import Reply, RestoreJob
from shared.contracts.restoring import Restoration, RestoreSource
from shared.errors import BUS_TIMEOUT, TallyError
from shared.telemetry import tracing

_WITHIN = 60.0


class Restoring:
    """Asks writeback, which alone writes to a source."""

    def __init__(self, client: Client, database: Database, progress: Progress, clock: Clock) -> None:
        self._client = client
        self._database = database
        self._progress = progress
        self._clock = clock

    async def restore(self, call: RestoreJob) -> Restoration:
        """Tell what a restore replaces or, where the call names the file's digest, have it done.

        The order is on record before it is given and its end after. Should nobody be there to record the end, a person
        gives the order again; it finds the source as it is to be, and that is recorded.

        Raises E-4005 while numbers are on their way, E-4002 where no writeback answers, and what writeback refuses
        with.
        """
        if call.digest is None:
            source, written = await self._database.read(restores.restorable, call.job_id, self._clock())
        else:
            source, written = await self._database.write(restores.order_restore, call.job_id, call.by, self._clock())
        order = RestoreSource(job_id=call.job_id, source=source, written=written, digest=call.digest, force=call.force)
        done = await self._ask(order)
        if done.restored:
            await self._progress.commit(restores.record_restored, call.job_id, done, self._clock())
        return done

    async def _ask(self, order: RestoreSource) -> Restoration:
        subject = subjects.SOURCES_RESTORE
        try:
            answer = await self._client.request(subject, order.encode(), timeout=_WITHIN, headers=tracing.headers())
        except (NatsError, TimeoutError) as error:
            raise TallyError(BUS_TIMEOUT, service="writeback", subject=subject, seconds=f"{_WITHIN:g}") from error
        reply = Reply.model_validate_json(answer.data)
        if reply.error is not None:
            raise TallyError.from_body(reply.error)
        return Restoration.model_validate(reply.result)
