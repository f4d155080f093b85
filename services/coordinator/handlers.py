"""Turns the coordinator's messages into calls."""

from __future__ import annotations

from nats.aio.msg import Msg

from services.coordinator.intake.submission import Submission
from services.coordinator.running.progress import Progress
from services.coordinator.running.withdrawal import Withdrawal
from shared.bus.heartbeat import heartbeat
from shared.bus.ledger import Ledger
from shared.bus.service import acknowledge, deliveries, readable
from shared.contracts.commands import ShipCommandAbandoned
from shared.contracts.ledger import Claimed, KnownLedger, ledger_entry
from shared.contracts.voiding import VoidOutcome
from shared.contracts.writeback import SourceWritten
from shared.errors import REQUEST_ABANDONED, TallyError
from shared.failpoints import failpoint
from shared.telemetry import logger

log = logger("handlers")

_MAX_INTAKE_TRIES = 5


class Handlers:
    """The coordinator's subscribers."""

    def __init__(self, submission: Submission, progress: Progress, withdrawal: Withdrawal, ledger: Ledger) -> None:
        self._submission = submission
        self._progress = progress
        self._withdrawal = withdrawal
        self._ledger = ledger

    async def job_request(self, message: Msg) -> None:
        """A job request; one that ends its coordinator time and again is given up, and said so."""
        async with heartbeat(message):
            if deliveries(message) > _MAX_INTAKE_TRIES:
                error = TallyError(REQUEST_ABANDONED, tries=_MAX_INTAKE_TRIES).body
                await self._submission.abandon(message.data, error)
            else:
                await self._submission.submit(message.data)
        failpoint("coordinator.before_request_ack")
        await acknowledge(message)
        failpoint("coordinator.after_request_ack")

    async def known_ledger(self, body: bytes) -> bytes:
        """From a KnownLedger's body to another's: a ledger that is behind what a shipper knows of it is replaced."""
        known = KnownLedger.model_validate_json(body)
        await self._ledger.keep_up(known)
        return KnownLedger(epoch=self._ledger.epoch, sequence=self._ledger.mark).encode()

    async def ledger_entry(self, message: Msg) -> None:
        """A ledger entry: a claim is only noted by the ledger itself, an outcome moves its job."""
        entry = await readable(message, ledger_entry.validate_json)
        if entry is None:
            return
        self._ledger.note(entry.epoch, message.metadata.sequence.stream, message.data)
        if isinstance(entry, Claimed):
            await acknowledge(message)
            return
        try:
            async with heartbeat(message):
                await self._progress.record(entry)
        except TallyError as error:
            if error.kind.retryable:
                raise
            log.error("an outcome fits no job", job=entry.job_id, row=entry.row_number, code=error.body.code)
        failpoint("coordinator.before_outcome_ack")
        await acknowledge(message)
        failpoint("coordinator.after_outcome_ack")

    async def source_written(self, message: Msg) -> None:
        """What writeback did to a source."""
        written = await readable(message, SourceWritten.model_validate_json)
        if written is None:
            return
        async with heartbeat(message):
            await self._progress.record_written(written)
        failpoint("coordinator.before_written_ack")
        await acknowledge(message)
        failpoint("coordinator.after_written_ack")

    async def command_abandoned(self, message: Msg) -> None:
        """A ship command that ended its shipper time and again."""
        report = await readable(message, ShipCommandAbandoned.model_validate_json)
        if report is None:
            return
        async with heartbeat(message):
            await self._withdrawal.abandon(report)
        await acknowledge(message)

    async def void_outcome(self, message: Msg) -> None:
        """What the carrier said to a void."""
        outcome = await readable(message, VoidOutcome.model_validate_json)
        if outcome is None:
            return
        try:
            async with heartbeat(message):
                await self._progress.record_void(outcome)
        except TallyError as error:
            if error.kind.retryable:
                raise
            log.error("a void fits no row", job=outcome.job_id, row=outcome.row_number, code=error.body.code)
        await acknowledge(message)
