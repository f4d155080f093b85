"""Keeping one process running: start, readiness, restart with back-off, and a clean end."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from services.cli.house.backoff import Backoff
from services.cli.house.record import ProcessRecord, ProcessState
from services.cli.house.specs import ProcessSpec, Started

STOP_GRACE = 16.0
READY_WITHIN = 120.0
_READY, _ENDED, _, _LATE = range(4)


@dataclass(frozen=True)
class Death:
    """A process that ended unasked, and when it is started again."""

    name: str
    pid: int | None
    how: str
    restart_in: float
    log: Path


class Listener(Protocol):
    """Who is told of a process's life."""

    def changed(self, record: ProcessRecord) -> None:
        """A process entered another state."""

    def died(self, death: Death) -> None:
        """A process ended unasked."""

    def runs_again(self, record: ProcessRecord) -> None:
        """A process that had died serves again."""


@dataclass
class Keeper:
    """Keeps one process running from `keep` until `stop` is set; `kill` ends the patience with a stopping one."""

    spec: ProcessSpec
    logs: Path
    inherited: int
    listener: Listener
    kill: asyncio.Event
    backoff: Backoff = field(default_factory=Backoff)
    grace: float = STOP_GRACE
    ready_within: float = READY_WITHIN
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self) -> None:
        """Start the process, and start it again whenever it ends, until told to stop."""
        try:
            while not self.stop.is_set():
                began = time.monotonic()
                pid, how = await self._run_once()
                if self.stop.is_set():
                    break
                delay = self.backoff.after(time.monotonic() - began)
                self._enter(ProcessState.RESTARTING, None)
                self.listener.died(Death(self.spec.name, pid, how, delay, self._log))
                await race(self.stop.wait(), asyncio.sleep(delay))
        finally:
            self._enter(ProcessState.STOPPED, None)
            self.stopped.set()

    async def _run_once(self) -> tuple[int | None, str]:
        """One life of the process: its pid and how it ended."""
        offset = self._log.stat().st_size if self._log.exists() else 0
        try:
            with self._log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    *self.spec.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=dict(self.spec.environment),
                    pass_fds=(self.inherited, *self.spec.inherits),
                    start_new_session=True,  # a terminal's Ctrl-C is the supervisor's alone to act on
                )
        except OSError as error:
            return None, f"could not be started ({error.strerror})"
        try:
            how = await self._live(process, Started(process.pid, self._log, offset))
        finally:
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())
        return process.pid, how

    async def _live(self, process: asyncio.subprocess.Process, started: Started) -> str:
        self._enter(ProcessState.STARTING, process.pid)
        first = await race(self.spec.ready(started), process.wait(), self.stop.wait(), asyncio.sleep(self.ready_within))
        if first == _READY:
            record = self._enter(ProcessState.RUNNING, process.pid)
            if self.ready.is_set():
                self.listener.runs_again(record)
            self.ready.set()
            first = await race(asyncio.Event().wait(), process.wait(), self.stop.wait())
        if first != _ENDED:
            await self._end(process)
        return how_it_ended(process.returncode) if first != _LATE else f"was not ready in {self.ready_within:g} s"

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        _signal(process, signal.SIGTERM)
        await race(process.wait(), self.kill.wait(), asyncio.sleep(self.grace))
        if process.returncode is None:
            _signal(process, signal.SIGKILL)
            await process.wait()

    def _enter(self, state: ProcessState, pid: int | None) -> ProcessRecord:
        record = ProcessRecord(name=self.spec.name, pid=pid, create_time=_create_time(pid), state=state)
        self.listener.changed(record)
        return record

    @property
    def _log(self) -> Path:
        return self.logs / f"{self.spec.name}.log"


async def race(*contenders: Awaitable[object]) -> int:
    """The place of the first to finish, which may have raised; the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(contender) for contender in contenders]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(place for place, task in enumerate(tasks) if task.done())
        tasks[first].result()
        return first
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def how_it_ended(returncode: int | None) -> str:
    """A return code in words; negative ones are signals."""
    if returncode is None:
        return "ended"
    if returncode < 0:
        try:
            return f"was ended by {signal.Signals(-returncode).name}"
        except ValueError:
            return f"was ended by signal {-returncode}"
    return f"ended with exit code {returncode}"


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it ended by itself just now
            process.send_signal(number)


def _create_time(pid: int | None) -> float | None:
    if pid is None:
        return None
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None
