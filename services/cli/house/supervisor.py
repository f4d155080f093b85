"""The supervisor: starts a house layer by layer, keeps it running, and stops it clients first."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.house.announcing import Announcer
from services.cli.house.console import Console
from services.cli.house.process import Death, Keeper, race
from services.cli.house.record import HouseRecord, ProcessRecord, ProcessState, write_record
from services.cli.house.specs import Layers


@dataclass
class Supervisor:
    """One house. `layers` start one after the other and stop in reverse: the bus first and last.

    Once all runs, what `notices` gives is told.
    """

    layers: Layers
    data_dir: Path
    nats_url: str
    carrier_url: str | None
    inherited: int
    announcer: Announcer
    console: Console | None = None
    notices: Callable[[], Awaitable[list[str]]] | None = None
    stop_asked: asyncio.Event = field(default_factory=asyncio.Event)
    kill: asyncio.Event = field(default_factory=asyncio.Event)
    _states: dict[str, ProcessRecord] = field(default_factory=dict)

    async def run(self) -> None:
        """Run the house until it is told to stop (SIGINT, SIGTERM, SIGHUP; a second one kills at once)."""
        for spec in (spec for layer in self.layers for spec in layer):
            self._states[spec.name] = ProcessRecord(name=spec.name, state=ProcessState.STOPPED)
        self._write()
        with self._heeding_signals():
            async with asyncio.TaskGroup() as group:
                started: list[list[Keeper]] = []
                try:
                    await self._start(group, started)
                    await self.stop_asked.wait()
                    self.announcer.stopping()
                finally:
                    await _stop(started)
        self.announcer.stopped()

    def changed(self, record: ProcessRecord) -> None:
        """Write down what a keeper says of its process."""
        self._states[record.name] = record
        self._write()

    def died(self, death: Death) -> None:
        """Pass a keeper's word on."""
        self.announcer.died(death)

    def runs_again(self, record: ProcessRecord) -> None:
        """Pass a keeper's word on."""
        self.announcer.runs_again(record)

    async def _start(self, group: asyncio.TaskGroup, started: list[list[Keeper]]) -> None:
        logs = self.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        for layer in self.layers:
            keepers = [
                Keeper(spec=spec, logs=logs, inherited=self.inherited, listener=self, kill=self.kill) for spec in layer
            ]
            started.append(keepers)
            for keeper in keepers:
                group.create_task(keeper.keep(), name=keeper.spec.name)
            all_ready = asyncio.gather(*(keeper.ready.wait() for keeper in keepers))
            await race(all_ready, self.stop_asked.wait())
            if self.stop_asked.is_set():
                return
        self.announcer.ready(self._record())
        if self.notices is not None:
            await race(self._tell(self.notices), self.stop_asked.wait())

    async def _tell(self, notices: Callable[[], Awaitable[list[str]]]) -> None:
        for text in await notices():
            self.announcer.noticed(text)

    def _record(self) -> HouseRecord:
        return HouseRecord(
            supervisor_pid=os.getpid(),
            nats_url=self.nats_url,
            carrier_url=self.carrier_url,
            console_url=self.console.url if self.console else None,
            console_token_file=self.console.token_file if self.console else None,
            data_dir=str(self.data_dir),
            services=tuple(self._states.values()),
        )

    def _write(self) -> None:
        write_record(self._record())

    @contextmanager
    def _heeding_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        # Under nohup a closed terminal is to stop nothing.
        hung_up_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        numbers = [signal.SIGINT, signal.SIGTERM, *([] if hung_up_ignored else [signal.SIGHUP])]
        for number in numbers:
            loop.add_signal_handler(number, self._told_to_stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _told_to_stop(self) -> None:
        (self.kill if self.stop_asked.is_set() else self.stop_asked).set()


async def _stop(started: list[list[Keeper]]) -> None:
    """Stop layer after layer, the last started first; what is in hand at a client still finds its bus."""
    for layer in reversed(started):
        for keeper in layer:
            keeper.stop.set()
        for keeper in layer:
            await keeper.stopped.wait()
