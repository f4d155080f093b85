"""Processes that judge a large source's orders, so that mapping and storing them do not wait for each other."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, TypeVar

from services.coordinator.database.new_rows import StoredRow
from services.coordinator.intake import judging_process
from services.coordinator.intake.frames import LENGTH_SIZE, framed, length_of, value_of
from services.coordinator.intake.judging import BLOCK, Block, StoringJudge
from shared.cancelling import cancel
from shared.contracts.source import CsvSource, Source
from shared.sources.rows import FoundOrder
from shared.telemetry import logger

log = logger("judges")

T = TypeVar("T")

# Below that many orders a process costs more than it saves: it takes a second or two to start.
_FEW = 10_000
# A CSV file of so many bytes for each of those few is likely to hold more orders, whatever its columns are.
_BYTES_EACH = 400
_MOST_PROCESSES = 2
# Orders that go to a process at once: each block costs the coordinator some milliseconds, whatever is in it.
_LARGE_BLOCK = 4 * BLOCK
_BLOCKS_EACH = 2  # one that is judged, one that waits for it
_PIPED = 1 << 21  # bytes of an answer that are held before its end is read: more than a usual one has
# Seconds for a process to start, and for one block; it is ended behind them, and its work done without it.
_PATIENCE = 120.0


class ProcessEndedError(Exception):
    """A judging process ended, or does not answer."""


class JudgingProcess:
    """One of them, as its coordinator holds it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self._is_answering = False

    @classmethod
    async def start(cls) -> JudgingProcess:
        """A process that is to be told how to judge. Raises ProcessEndedError."""
        pipe = asyncio.subprocess.PIPE
        # As its coordinator: where that one takes no module from the working directory, this one does not either.
        safely = ["-P"] if sys.flags.safe_path else []
        command = (sys.executable, *safely, "-m", judging_process.__name__)
        try:
            return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=_PIPED))
        except OSError as error:
            raise ProcessEndedError from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def learn(self, judge: StoringJudge) -> None:
        """Have it judge as `judge` does. Raises ProcessEndedError, of one of another release, too."""
        if await self._answer(await asyncio.to_thread(framed, judge)) != judging_process.READY:
            raise ProcessEndedError from ValueError("it is of another release")

    async def judged(self, found: list[FoundOrder]) -> Block[StoredRow]:
        """What becomes of some orders. Raises ProcessEndedError."""
        async with self._turn:
            answer: Block[StoredRow] = await self._answer(await asyncio.to_thread(framed, found))
        return answer

    async def end(self) -> None:
        """End it: it has nothing to lose."""
        self._kill()
        await self._process.wait()

    def _kill(self) -> None:
        if self._process.returncode is None:
            try:
                self._process.kill()
            except ProcessLookupError:
                log.debug("a judging process had ended", pid=self.pid)

    async def _answer(self, question: bytes) -> Any:
        # Where an answer was not read to its end, what comes next is no answer to this question.
        if self._is_answering:
            raise ProcessEndedError
        self._is_answering = True
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                asked.write(question)
                await asked.drain()
                body = await answers.readexactly(length_of(await answers.readexactly(LENGTH_SIZE)))
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
            self._kill()
            raise ProcessEndedError from error
        self._is_answering = False
        return await asyncio.to_thread(value_of, body)


class Judges:
    """A coordinator's judging processes; one batch has them at a time, and others do without."""

    def __init__(self, processes: int | None = None, few: int = _FEW) -> None:
        """At most so many `processes`, one for each of two processors by default; `few` orders are judged without."""
        self.most = _processors() if processes is None else processes
        self.few = few
        self.at_work: BatchJudges | None = None

    @asynccontextmanager
    async def judging(self) -> AsyncIterator[BatchJudges]:
        """What judges one batch's orders: in a thread, and many of them in processes.

        What a process cannot do, since it was killed, is done in a thread. None of them outlives the context.
        """
        batch = BatchJudges(self)
        try:
            yield batch
        finally:
            await batch.end()


class BatchJudges:
    """Those of one batch."""

    def __init__(self, judges: Judges) -> None:
        self.processes: list[JudgingProcess] = []
        self.started = asyncio.Event()
        self._judges = judges
        self._tasks: set[asyncio.Task[Any]] = set()
        self._starting: asyncio.Task[None] | None = None

    async def expect(self, source: Source) -> None:
        """Start the processes where `source`, which is resolved and about to be read, seems to hold many orders."""
        large = self._judges.few * _BYTES_EACH
        if isinstance(source, CsvSource) and await asyncio.to_thread(_size, source.path) > large:
            self._begin()

    async def judged(self, judge: StoringJudge, found: Iterator[FoundOrder]) -> AsyncIterator[Block[StoredRow]]:
        """What becomes of the orders, in blocks and in their order."""
        orders = 0
        learning: asyncio.Task[None] | None = None
        # Until the processes are ready there is no reason to wait for them.
        while learning is None or not learning.done():
            block = await asyncio.to_thread(_next_block, found, BLOCK)
            if not block:
                return
            orders += len(block)
            if orders > self._judges.few:
                self._begin()
            if learning is None and self._starting is not None:
                learning = self._task(self._learn(self._starting, judge))
            yield await asyncio.to_thread(judge.judged, block)
        await learning
        async for each in self._shared_out(judge, found):
            yield each

    async def end(self) -> None:
        """End all that goes on."""
        try:
            await cancel(self._tasks)
        finally:
            for process in self.processes:
                await process.end()
            if self._judges.at_work is self:
                self._judges.at_work = None

    def _begin(self) -> None:
        """Start the processes, unless they are, or another batch has them."""
        if self._judges.most > 0 and self._judges.at_work is None:
            self._judges.at_work = self
            self._starting = self._task(self._start())

    async def _start(self) -> None:
        for _ in range(self._judges.most):
            try:
                self.processes.append(await JudgingProcess.start())
            except ProcessEndedError as error:
                log.warning("a judging process cannot be started; done without", reason=repr(error.__cause__))

    async def _learn(self, starting: asyncio.Task[None], judge: StoringJudge) -> None:
        await starting
        for process in list(self.processes):
            try:
                await process.learn(judge)
            except ProcessEndedError as error:
                log.warning("a judging process ended; done without", pid=process.pid, reason=repr(error.__cause__))
                await process.end()
                self.processes.remove(process)
        self.started.set()

    async def _shared_out(self, judge: StoringJudge, found: Iterator[FoundOrder]) -> AsyncIterator[Block[StoredRow]]:
        """Every further block, judged by the processes in turn."""
        hands: list[JudgingProcess | None] = [*self.processes] or [None]
        turns = cycle(hands)
        size = _LARGE_BLOCK if self.processes else BLOCK
        waiting: deque[asyncio.Task[Block[StoredRow]]] = deque()
        while True:
            while len(waiting) < len(hands) * _BLOCKS_EACH:
                block = await asyncio.to_thread(_next_block, found, size)
                if not block:
                    break
                waiting.append(self._task(_judged_by(next(turns), judge, block)))
            if not waiting:
                return
            yield await waiting.popleft()

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _judged_by(process: JudgingProcess | None, judge: StoringJudge, found: list[FoundOrder]) -> Block[StoredRow]:
    if process is not None:
        try:
            return await process.judged(found)
        except ProcessEndedError:
            log.warning("a judging process ended; its orders are judged without it", pid=process.pid)
    return await asyncio.to_thread(judge.judged, found)


def _next_block(found: Iterator[FoundOrder], size: int) -> list[FoundOrder]:
    return list(islice(found, size))


def _size(path: str) -> int:
    """A file's size in bytes; 0 where it cannot be told, which whoever reads the file says better."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _processors() -> int:
    """As many processes as there are processors, at most two; none where there is one processor only."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _MOST_PROCESSES) if processors > 1 else 0
