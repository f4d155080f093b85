"""Group commit: whatever waits for a source is applied at once, one change when idle, many under load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from services.writeback.metrics import FLUSH_ROWS, FLUSH_SECONDS, FLUSHES_FAILED, WRITE_BACKS
from services.writeback.targets.target import Target
from shared.bus.publishing import Publisher, fresh_id
from shared.contracts import subjects
from shared.contracts.commands import WritebackCommand
from shared.contracts.source import Source, has_sidecar, source_hash
from shared.contracts.writeback import RowWritten, SourceWritten
from shared.errors import REGISTRY, SOURCE_KIND_UNSUPPORTED, TallyError
from shared.failpoints import failpoint
from shared.sources.changes import changes_of
from shared.telemetry import logger, tracing

log = logger("flushing")

RETRY_AFTER = (1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Rest:
    """How long a source is left alone after a flush, in seconds: `pace` times what the flush took, within bounds."""

    pace: float
    shortest: float
    longest: float

    def after(self, took: float) -> float:
        """The rest after a flush that took `took` seconds."""
        return min(self.longest, max(self.shortest, self.pace * took))


@dataclass(frozen=True)
class _Waiting:
    """A command that waits to be applied, and the span that it waits in."""

    command: WritebackCommand
    done: asyncio.Future[None]
    span: tracing.Span


@dataclass
class _SourceQueue:
    """What waits for one source; whoever holds `turn` flushes it."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[_Waiting] = field(default_factory=list)
    rest_until: float = 0.0


@dataclass(frozen=True)
class Writer:
    """What writes to a kind of source, and how long it leaves one alone."""

    target: Target
    rest: Rest


def kind_of_writer(source: Source) -> str:
    """The kind of writer that a source is for: its own kind, or `sidecar`."""
    return "sidecar" if has_sidecar(source) else source.kind


class Flusher:
    """Applies write-back commands, source by source, and reports what became of each row."""

    def __init__(self, writers: Mapping[str, Writer], publisher: Publisher, *, max_batch: int) -> None:
        """`writers` are by `kind_of_writer`; of one source at most `max_batch` commands are applied at once."""
        self._writers = writers
        self._publisher = publisher
        self._max_batch = max_batch
        self._queues: dict[tuple[str, str], _SourceQueue] = {}

    async def write(self, command: WritebackCommand) -> None:
        """Apply one command; returns once its outcome is published and the command may be acknowledged.

        The first in line flushes for all: the others find theirs done when their turn comes.
        """
        hashed = source_hash(command.source)
        queue = self._queues.setdefault((hashed, kind_of_writer(command.source)), _SourceQueue())
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiting.append(_Waiting(command, done, tracing.here()))
        async with queue.turn:
            if not done.done():
                await asyncio.sleep(max(0.0, queue.rest_until - time.monotonic()))
                await self._flush(queue, hashed, done)
        await done

    async def _flush(self, queue: _SourceQueue, hashed: str, own: asyncio.Future[None]) -> None:
        """Flush for all that wait; the flush is told in the trace of the one whose turn it is, `own`, and linked."""
        batch, queue.waiting = queue.waiting[: self._max_batch], queue.waiting[self._max_batch :]
        kind = kind_of_writer(batch[0].command.source)
        started = time.monotonic()
        try:
            failpoint("writeback.before_apply")
            with tracing.span("flush", attributes={"tally.source.kind": kind, "tally.flush.rows": len(batch)}) as flush:
                flush.link(waiting.span for waiting in batch if waiting.done is not own)
                written = [
                    report
                    for source, commands in _by_source(waiting.command for waiting in batch)
                    for report in await self._apply(source, commands)
                ]
                failpoint("writeback.before_outcome")
                await self._publisher.publish(
                    subjects.OUTCOMES,
                    subjects.writeback_outcome(hashed),
                    SourceWritten(source_hash=hashed, rows=tuple(written)),
                    message_id=fresh_id(),
                )
            failpoint("writeback.after_outcome")
        except Exception as error:  # noqa: BLE001 - whatever it is, each waiting command has to hear of it
            FLUSHES_FAILED.labels(kind).inc()
            for waiting in batch:
                waiting.done.set_exception(error)
            return
        for waiting in batch:
            waiting.done.set_result(None)
        finished = time.monotonic()
        _count(kind, written, len(batch), finished - started)
        writer = self._writers.get(kind)
        queue.rest_until = finished + (writer.rest.after(finished - started) if writer else 0.0)

    async def _apply(self, source: Source, commands: Sequence[WritebackCommand]) -> list[RowWritten]:
        """Apply the commands in one go; what could not be written is tried again, then reported, row by row."""
        writer = self._writers.get(kind_of_writer(source))
        changes = [change for command in commands for change in changes_of(command)]
        if writer is None:
            error = TallyError(SOURCE_KIND_UNSUPPORTED, kind=source.kind).body
            return _by_row([change.failed(error) for change in changes])
        settled: list[RowWritten] = []
        for pause in (*RETRY_AFTER, None):
            reports = await asyncio.to_thread(writer.target.apply, source, changes)
            again = [change for change, report in zip(changes, reports, strict=True) if _may_succeed_later(report)]
            if not again or pause is None:
                return _by_row(settled + reports)
            settled += [report for report in reports if not _may_succeed_later(report)]
            log.warning("write-back failed; trying again", rows=len(again), seconds=pause)
            await asyncio.sleep(pause)
            changes = again
        raise AssertionError("unreachable")


def _count(kind: str, written: Sequence[RowWritten], commands: int, seconds: float) -> None:
    for report in written:
        WRITE_BACKS.labels(kind, report.status).inc()
    FLUSH_ROWS.labels(kind).observe(commands)
    FLUSH_SECONDS.labels(kind).observe(seconds)


def _may_succeed_later(report: RowWritten) -> bool:
    return report.error is not None and REGISTRY[report.error.code].retryable


def _by_source(commands: Iterable[WritebackCommand]) -> Iterable[tuple[Source, list[WritebackCommand]]]:
    """The commands by how their source is read: jobs may name the same file in different dialects."""
    found: dict[Source, list[WritebackCommand]] = {}
    for command in commands:
        found.setdefault(command.source, []).append(command)
    return found.items()


def _by_row(reports: Iterable[RowWritten]) -> list[RowWritten]:
    """One report for each version of a job's row: an order whose rows are several failed where one of them did."""
    found: dict[tuple[str, int, int], RowWritten] = {}
    for report in reports:
        key = report.job_id, report.row_number, report.row_version
        if key not in found or found[key].status == "written":
            found[key] = report
    return list(found.values())
