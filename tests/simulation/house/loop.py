"""An event loop of virtual time for several processes: a seed decides which of them goes next, timers cost nothing."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(eq=False)
class Process:
    """What runs under one roof: it dies at once, with everything in it, or freezes and goes on later."""

    name: str
    alive: bool = True
    frozen: bool = False
    ready: deque[asyncio.Handle] = field(default_factory=deque)
    steps_left: int = 0
    then: Callable[[], object] = lambda: None

    def after(self, steps: int, then: Callable[[], object]) -> None:
        """Let something happen to it in the middle of its work, `steps` callbacks from here."""
        self.steps_left, self.then = steps, then


WORLD = Process("world")
_process: ContextVar[Process] = ContextVar("process", default=WORLD)


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs callbacks of one process in their order, and the processes in an order of chance.

    Time stands still while anybody can go on, then jumps to the next timer. Work for threads is done at once.
    """

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self._chance = chance
        self._now = 0.0
        self._timers: list[tuple[float, int, Process, asyncio.TimerHandle]] = []
        self._count = 0
        self._processes: list[Process] = [WORLD]
        WORLD.ready.clear()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _loop, context: self.fail(context.get("exception") or Exception(context)))

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def fail(self, error: BaseException) -> None:
        """End the run: something does not hold."""
        self._failure = self._failure or error
        self.stop()

    def run_until_over(self, story: Coroutine[Any, Any, None]) -> None:
        """Run a story to its end, then end everything it began. Raises what `fail` was told, or what it raises."""
        telling = self.create_task(story)
        telling.add_done_callback(lambda _: self.stop())
        self.run_forever()
        failure = self._failure
        if failure is None and telling.done():
            failure = telling.exception()
        self._end_all()
        if failure is not None:
            raise failure

    def _end_all(self) -> None:
        """Close every task where it stands; nobody is told."""
        self._timers.clear()
        self.set_exception_handler(lambda _loop, _context: None)
        for task in self._tasks:
            _close(task.get_coro())
        self._tasks.clear()
        self.close()

    def _make_task(self, _loop: Any, coroutine: Any, context: Context | None = None) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=self, context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def within(self, process: Process) -> Context:
        """A context whose callbacks and tasks belong to `process`."""
        if process not in self._processes:
            self._processes.append(process)
        context = copy_context()
        context.run(_process.set, process)
        return context

    def kill(self, process: Process) -> None:
        """End a process where it stands; nothing of it ever runs again."""
        process.alive = False
        process.ready.clear()
        self._processes.remove(process)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's, into the queue of the process that the context belongs to."""
        handle = asyncio.Handle(callback, args, self, context)
        _enqueue(handle, _process_of(context))
        return handle

    call_soon_threadsafe = call_soon

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's, in virtual time."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, _process_of(context), timer))
        return timer

    def run_in_executor(self, _executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Do the work here and now."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to whoever waits
            future.set_exception(error)
        return future

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is passed over when its time comes."""

    def _run_once(self) -> None:
        while not (able := [process for process in self._processes if process.ready and not process.frozen]):
            self._pass_time()
        process = self._chance.choice(able)
        handle = process.ready.popleft()
        if handle._cancelled:
            return
        handle._run()
        if process.steps_left:
            process.steps_left -= 1
            if not process.steps_left:
                process.then()

    def _pass_time(self) -> None:
        if not self._timers:
            raise RuntimeError("nobody can go on, ever")
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            _, _, process, timer = heapq.heappop(self._timers)
            if not timer._cancelled:
                _enqueue(timer, process)

    def _write_to_self(self) -> None:
        """There is no selector to wake up."""


def _process_of(context: Context | None) -> Process:
    return _process.get() if context is None else context.get(_process, WORLD)


def _enqueue(handle: asyncio.Handle, process: Process) -> None:
    if process.alive:
        process.ready.append(handle)


def _close(coroutine: Any) -> None:
    """Close a coroutine, whatever it still means to wait for on its way out."""
    closed = False
    while not closed:
        with suppress(RuntimeError, BaseExceptionGroup):
            coroutine.close()
            closed = True
        closed = closed or coroutine.cr_frame is None
