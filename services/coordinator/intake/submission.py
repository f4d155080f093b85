"""A job request's way in: validated by hand, made a job once, taken in, then previewed or started."""

from __future__ import annotations

import json
import uuid

from pydantic import TypeAdapter, ValidationError

from services.coordinator.announcer import Announcer
from services.coordinator.database import intake as admission
from services.coordinator.database import steps
from services.coordinator.database.engine import Database
from services.coordinator.identity import job_id_for, request_hash
from services.coordinator.intake.intake import choice_of
from services.coordinator.intake.taking_in import TakingIn
from services.coordinator.intake.turns import IntakeTurn, IntakeTurns
from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.pricing.job_pricing import JobPricing
from services.coordinator.running.progress import Progress
from shared.bus.ledger import Ledger
from shared.clock import Clock
from shared.contracts.message import NewerVersionError, RequestId
from shared.contracts.requests import JobRequest
from shared.contracts.states import JobMode, JobStatus
from shared.errors import JOB_FORGOTTEN, REQUEST_MALFORMED, REQUEST_TOO_NEW, ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.telemetry import logger, tracing

log = logger("submission")

_usable_id: TypeAdapter[str] = TypeAdapter(RequestId)


class Submission:
    """Turns requests into jobs; a request that was cut short is taken in anew."""

    def __init__(
        self,
        installation: str,
        database: Database,
        taking_in: TakingIn,
        pricing: JobPricing,
        progress: Progress,
        announcer: Announcer,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._installation = installation
        self._database = database
        self._taking_in = taking_in
        self._pricing = pricing
        self._progress = progress
        self._announcer = announcer
        self._ledger = ledger
        self._clock = clock
        self._turns = IntakeTurns()

    @property
    def room(self) -> int:
        """How many more requests it takes at present."""
        return self._turns.free

    async def submit(self, body: bytes) -> None:
        """Make the request's job, or reject it; the same request again is the same job."""
        # From the first moment on, so that no other request is asked for in its place.
        with self._turns.begin() as turn:
            await self._submit(body, turn)

    async def _submit(self, body: bytes, turn: IntakeTurn) -> None:
        try:
            request = JobRequest.model_validate_json(body)
        except ValidationError as error:
            await self._reject_malformed(body, error)
            return
        except NewerVersionError as error:
            await self._reject_newer(body, error)
            return
        job_id = job_id_for(self._installation, request.request_id)
        accepted = self._clock()
        failpoint("coordinator.before_admit")
        try:
            admitted = await self._database.write(
                admission.admit, job_id, request, request_hash(request), self._clock()
            )
        except TallyError as error:
            await self._announcer.rejected(job_id, request.request_id, error.body)
            return
        failpoint("coordinator.after_admit")
        if admitted.created:
            log.info("job accepted", job=job_id)
            tracing.record_job(job_id, accepted, self._clock())
        await self._announcer.entered(job_id, JobStatus.PENDING)
        if admitted.status is JobStatus.PENDING:
            failpoint("coordinator.before_intake")
            await self._take_in(job_id, request, turn)

    async def abandon(self, body: bytes, error: ErrorBody) -> None:
        """Give a request up that cannot be worked on, and say so."""
        request_id = _request_id(body)
        job_id = None if request_id is None else job_id_for(self._installation, request_id)
        if job_id is not None and request_id is not None:
            made = await self._database.write(admission.admit_rejected, job_id, request_id, error, self._clock())
            if not made:
                await self._fail(job_id, request_id, error)
                return
        await self._announcer.rejected(job_id, request_id, error)

    async def _take_in(self, job_id: str, request: JobRequest, turn: IntakeTurn) -> None:
        if await self._ledger.knows(job_id):
            # Its rows may have been other orders: what the ledger has would be taken for theirs.
            await self._fail(job_id, request.request_id, TallyError(JOB_FORGOTTEN, job_id=job_id).body)
            return
        intake = uuid.uuid4().hex
        try:
            if not await self._snapshot(job_id, intake, request, turn):
                return
            turn.source_is_read()
            failpoint("coordinator.after_intake")
            if (choice := choice_of(request)) and not await self._chosen(job_id, intake, request, choice):
                return
            if request.mode is JobMode.AUTO:
                actor = request.requested_by or "auto"
                failpoint("coordinator.before_start_commit")
                await self._progress.commit(steps.start, job_id, intake, actor, self._clock(), self._progress.issue())
            else:
                await self._pricing.estimate(job_id, intake, skip_invalid=request.skip_invalid)
                await self._database.write(admission.await_approval, job_id, intake, self._clock())
                await self._announcer.entered(job_id, JobStatus.AWAITING_APPROVAL)
        except admission.SupersededError:
            log.info("another intake of this job went on", job=job_id)

    async def _snapshot(self, job_id: str, intake: str, request: JobRequest, turn: IntakeTurn) -> bool:
        """Copy the source's rows into the job. Where they cannot be, the job fails, the request is rejected: False."""
        try:
            await self._taking_in.take_in(job_id, intake, request, turn)
        except TallyError as error:
            await self._fail(job_id, request.request_id, error.body)
            return False
        return True

    async def _chosen(self, job_id: str, intake: str, request: JobRequest, choice: ServiceChoice) -> bool:
        """Choose the rows' services. Where that cannot be, the job fails, the request is rejected: False."""
        try:
            await self._pricing.choose(job_id, intake, choice, skip_invalid=request.skip_invalid)
        except TallyError as error:
            await self._fail(job_id, request.request_id, error.body)
            return False
        return True

    async def _fail(self, job_id: str, request_id: str, error: ErrorBody) -> None:
        """Fail a job that is still to be taken in, and say that its request is rejected."""
        try:
            await self._database.write(admission.fail_intake, job_id, error, self._clock())
        except admission.SupersededError:
            log.info("another intake of this job went on", job=job_id)
            return
        await self._announcer.rejected(job_id, request_id, error)
        await self._announcer.entered(job_id, JobStatus.FAILED)

    async def _reject_newer(self, body: bytes, error: NewerVersionError) -> None:
        """No job is made of it, so that the same request can be published again once the coordinators are upgraded."""
        rejection = TallyError(REQUEST_TOO_NEW, version=error.version, newest=JobRequest.newest).body
        request_id = _request_id(body)
        job_id = None if request_id is None else job_id_for(self._installation, request_id)
        log.warning("a request is of a newer version", version=error.version, code=rejection.code)
        await self._announcer.rejected(job_id, request_id, rejection)

    async def _reject_malformed(self, body: bytes, error: ValidationError) -> None:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = f"{place}: {first['msg']}" if place else first["msg"]
        rejection = TallyError(REQUEST_MALFORMED, reason=reason).body
        request_id = _request_id(body)
        job_id, made = None, False
        if request_id is not None:
            job_id = job_id_for(self._installation, request_id)
            made = await self._database.write(admission.admit_rejected, job_id, request_id, rejection, self._clock())
        await self._announcer.rejected(job_id, request_id, rejection)
        if made and job_id is not None:
            await self._announcer.entered(job_id, JobStatus.FAILED)


def _request_id(body: bytes) -> str | None:
    """The request id of a body that is no valid request, where it has a usable one."""
    try:
        found = json.loads(body)
        return _usable_id.validate_python(found.get("request_id"), strict=True) if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        return None
