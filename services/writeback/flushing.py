"""Group commit: whatever waits for a source is applied at once, one change when idle, many under load."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.writeback.targets.target import RowChange, Target
from shared.bus.publishing import Publisher
from shared.contracts import subjects
from shared.contracts.commands import WritebackCommand
from shared.contracts.source import Source, source_hash
from shared.contracts.writeback import RowWritten, SourceWritten
from shared.errors import SOURCE_KIND_UNSUPPORTED, ErrorBody, TallyError
from shared.failpoints import failpoint
from shared.telemetry import logger

log = logger("flushing")

RETRY_AFTER = (1.0, 2.0, 4.0)


@dataclass
class _SourceQueue:
    """What waits for one source; whoever holds `turn` flushes it."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[tuple[WritebackCommand, asyncio.Future[None]]] = field(default_factory=list)
    rest_until: float = 0.0


class Flusher:
    """Applies write-back commands, source by source, and reports what became of each row."""

    def __init__(
        self, targets: Mapping[str, Target], publisher: Publisher, *, max_batch: int, pace: float, max_wait: float
    ) -> None:
        self._targets = targets
        self._publisher = publisher
        self._max_batch = max_batch
        self._pace = pace
        self._max_wait = max_wait
        self._queues: dict[str, _SourceQueue] = {}

    async def write(self, command: WritebackCommand) -> None:
        """Apply one command; returns once its outcome is published and the command may be acknowledged.

        The first in line flushes for all: the others find theirs done when their turn comes.
        """
        hashed = source_hash(command.source)
        queue = self._queues.setdefault(hashed, _SourceQueue())
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiting.append((command, done))
        async with queue.turn:
            if not done.done():
                await asyncio.sleep(max(0.0, queue.rest_until - time.monotonic()))
                await self._flush(queue, hashed, command.source)
        if not queue.waiting and not queue.turn.locked():
            self._queues.pop(hashed, None)
        await done

    async def _flush(self, queue: _SourceQueue, hashed: str, source: Source) -> None:
        batch, queue.waiting = queue.waiting[: self._max_batch], queue.waiting[self._max_batch :]
        started = time.monotonic()
        try:
            written = await self._apply(source, _newest([command for command, _ in batch]))
            failpoint("writeback.before_outcome")
            await self._publisher.publish(
                subjects.OUTCOMES,
                subjects.writeback_outcome(hashed),
                SourceWritten(source_hash=hashed, rows=tuple(written)),
                message_id=uuid.uuid4().hex,
            )
            failpoint("writeback.after_outcome")
        except Exception as error:  # noqa: BLE001 - whatever it is, each waiting command has to hear of it
            for _, done in batch:
                done.set_exception(error)
            return
        for _, done in batch:
            done.set_result(None)
        finished = time.monotonic()
        queue.rest_until = finished + min(self._max_wait, self._pace * (finished - started))

    async def _apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        """Apply the changes in one go; a source that cannot be written is tried again, then reported."""
        target = self._targets.get(source.kind)
        if target is None:
            return _all_failed(changes, TallyError(SOURCE_KIND_UNSUPPORTED, kind=source.kind).body)
        for pause in RETRY_AFTER:
            try:
                return await asyncio.to_thread(target.apply, source, changes)
            except TallyError as error:
                log.warning("write-back failed; trying again", code=error.body.code, seconds=pause)
                await asyncio.sleep(pause)
        try:
            return await asyncio.to_thread(target.apply, source, changes)
        except TallyError as error:
            log.error("write-back given up", code=error.body.code, rows=len(changes))  # noqa: TRY400 - no traceback of an expected failure
            return _all_failed(changes, error.body)


def _newest(commands: Sequence[WritebackCommand]) -> list[RowChange]:
    """The commands as changes, the greatest version of each row only, in the order they came."""
    newest: dict[tuple[str, int], WritebackCommand] = {}
    for command in commands:
        row = (command.job_id, command.row_number)
        known = newest.get(row)
        if known is None or known.row_version < command.row_version:
            newest[row] = command
    return [
        RowChange(
            job_id=command.job_id,
            row_number=command.row_number,
            source_row=command.source_row,
            row_key=command.row_key,
            checksum=command.checksum,
            row_version=command.row_version,
            values=command.values,
        )
        for command in newest.values()
    ]


def _all_failed(changes: Sequence[RowChange], error: ErrorBody) -> list[RowWritten]:
    return [
        RowWritten(
            job_id=change.job_id,
            row_number=change.row_number,
            row_version=change.row_version,
            status="failed",
            error=error,
        )
        for change in changes
    ]
