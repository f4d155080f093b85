"""Has the shippers look up what is left open behind a job: labels that are due, rows in doubt once more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError

from services.coordinator.database import queries, steps
from services.coordinator.database.engine import Database
from services.coordinator.running.progress import Progress
from shared.clock import Clock
from shared.contracts import subjects
from shared.contracts.api import refused_version
from shared.contracts.lookups import FindShipment, LabelRecovered, RecoverLabel, ShipmentSought
from shared.contracts.message import Message
from shared.errors import BUS_TIMEOUT, TallyError
from shared.telemetry import logger, tracing

log = logger("lookups")

AnswerT = TypeVar("AnswerT", bound=Message)

_WITHIN = 120.0
_LABELS_A_ROUND = 20
_FIRST_PAUSE = timedelta(seconds=4)
_LONGEST_PAUSE = timedelta(minutes=10)


class LookUps:
    """Asks the shippers; an answer that does not come is asked for again, less and less often."""

    def __init__(
        self, client: Client, database: Database, progress: Progress, clock: Clock, *, look_again_after: float
    ) -> None:
        self._client = client
        self._database = database
        self._progress = progress
        self._clock = clock
        self._look_again_after = timedelta(seconds=look_again_after)
        self._pauses: dict[tuple[str, int], tuple[datetime, timedelta]] = {}

    async def round(self) -> None:
        """Ask once for every label that is due and every row in doubt whose time has come."""
        due = await self._database.read(queries.labels_due)
        wanted = [label for label in due if self._is_time_for(label)]
        for label in wanted[:_LABELS_A_ROUND]:
            await self.recover(label)
        self._forget_all_but({(label.job_id, label.row_number) for label in due})
        for doubt in await self._database.read(queries.doubts_to_look_up, self._clock() - self._look_again_after):
            await self._look_again(doubt)

    async def recover_of(self, job_id: str) -> None:
        """Ask at once for the labels that are due in a job."""
        for label in await self._database.read(queries.labels_due, job_id):
            await self.recover(label)

    async def recover(self, label: RecoverLabel) -> None:
        """Ask for one label; one that cannot be had is asked for again later."""
        found = await self._ask(subjects.LABELS_RECOVER, label, LabelRecovered)
        if found is None or found.label_key is None:
            code = found.error.code if found is not None and found.error is not None else "no answer"
            log.warning("a label is still due", job=label.job_id, row=label.row_number, code=code)
            self._postpone(label)
        if found is not None:
            await self._progress.commit(steps.record_label, label.job_id, label.row_number, found, self._clock())

    async def fetch_again(self, job_id: str, row_number: int, by: str) -> None:
        """Fetch a label that the label store has lost.

        Raises E-4002 where no shipper answers, else what kept it from being fetched; nothing is changed then.
        """
        label = await self._database.read(queries.label_to_recover, job_id, row_number)
        found = await self._ask(subjects.LABELS_RECOVER, label, LabelRecovered)
        if found is None:
            raise TallyError(BUS_TIMEOUT, service="shipper", subject=subjects.LABELS_RECOVER, seconds=f"{_WITHIN:g}")
        await self._progress.commit(
            steps.record_label, job_id, row_number, found, self._clock(), asked_by=by or "unknown"
        )
        if found.error is not None:
            raise TallyError.from_body(found.error)

    async def _look_again(self, doubt: FindShipment) -> None:
        sought = await self._ask(subjects.SHIPMENTS_FIND, doubt, ShipmentSought)
        if sought is not None:
            log.info("a row in doubt was looked up", job=doubt.job_id, row=doubt.row_number, found=sought.adopted)
            await self._progress.commit(
                steps.record_look_up, doubt.job_id, doubt.row_number, doubt.attempt, sought, self._clock()
            )

    async def _ask(self, subject: str, question: Message, answer: type[AnswerT]) -> AnswerT | None:
        try:
            reply = await self._client.request(subject, question.encode(), timeout=_WITHIN, headers=tracing.headers())
        except (NatsError, TimeoutError) as error:
            log.warning("no shipper answered", subject=subject, error=type(error).__name__)
            return None
        if (refused := refused_version(reply.data)) is not None:
            log.warning("the shipper that answered is of an older version", subject=subject, code=refused.code)
            return None
        return answer.model_validate_json(reply.data)

    def _is_time_for(self, label: RecoverLabel) -> bool:
        not_before, _ = self._pauses.get((label.job_id, label.row_number), (None, None))
        return not_before is None or self._clock() >= not_before

    def _postpone(self, label: RecoverLabel) -> None:
        place = label.job_id, label.row_number
        _, last = self._pauses.get(place, (None, _FIRST_PAUSE / 2))
        pause = min(last * 2, _LONGEST_PAUSE)
        self._pauses[place] = (self._clock() + pause, pause)

    def _forget_all_but(self, places: set[tuple[str, int]]) -> None:
        self._pauses = {place: pause for place, pause in self._pauses.items() if place in places}
