"""One real process of a rig: started, killed, frozen, thawed; its deaths, stops and log lines are noticed at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.crash.bell import Bell

_STOP_WITHIN = 40.0


@dataclass(frozen=True)
class Line:
    """What a process said, and when; `event` is empty for what is no JSON."""

    at: datetime
    text: str
    event: str
    fields: Mapping[str, Any]


@dataclass
class Life:
    """One life of a process, from its start to its death."""

    popen: subprocess.Popen[bytes]
    stopped: bool = False
    over: bool = False
    ended_at: datetime | None = None
    stopped_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)

    def said(self, words: str) -> Line | None:
        """The first line with `words` in it."""
        return next((line for line in self.lines if words in line.text), None)


class Process:
    """A command with its environment; `lives` are its runs, the last one the present."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, ready: str, bell: Bell
    ) -> None:
        self.name = name
        self.environment = dict(environment)
        self.lives: list[Life] = []
        self._command = tuple(command)
        self._log = log
        self._ready = ready
        self._bell = bell

    @property
    def life(self) -> Life:
        """The present life."""
        return self.lives[-1]

    @property
    def pid(self) -> int:
        """The process id of the present life."""
        return self.life.popen.pid

    @property
    def alive(self) -> bool:
        """Whether it runs, or stands still."""
        return bool(self.lives) and not self.life.over

    def launch(self, **extra: str) -> Life:
        """Start it, `extra` added to its environment."""
        assert not self.alive, f"{self.name} runs already"
        popen = subprocess.Popen(
            self._command,
            env=self.environment | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        life = Life(popen)
        self.lives.append(life)
        for work in (self._read, self._watch):
            threading.Thread(target=work, args=(life,), daemon=True, name=f"{work.__name__} {self.name}").start()
        return life

    async def start(self, **extra: str) -> Life:
        """Start it and wait until it serves; one that dies before that (at a fail point) is not waited for."""
        life = self.launch(**extra)
        await self.until_ready(life)
        return life

    async def until_ready(self, life: Life) -> None:
        """Wait until a life serves, or is over."""
        await self._bell.until(
            lambda: life.said(self._ready) is not None or life.over or life.stopped, f"{self.name} to be ready"
        )

    def kill(self) -> None:
        """Kill -9."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.life.stopped = False
        self._signal(signal.SIGCONT)

    async def death(self) -> None:
        """Wait until the present life is over."""
        life = self.life
        await self._bell.until(lambda: life.over, f"{self.name} to die")

    async def stop(self) -> None:
        """SIGTERM, and wait until what was in hand is done."""
        self._signal(signal.SIGTERM)
        life = self.life
        try:
            await self._bell.until(lambda: life.over, f"{self.name} to stop", within=_STOP_WITHIN)
        except TimeoutError:
            self.kill()
            raise

    def _signal(self, number: int) -> None:
        if not self.life.over:
            os.kill(self.pid, number)

    def _read(self, life: Life) -> None:
        assert life.popen.stdout is not None
        with self._log.open("ab") as log, life.popen.stdout as stream:
            for raw in stream:
                log.write(raw)
                log.flush()
                life.lines.append(_line(raw.decode(errors="replace").rstrip()))
                self._bell.ring_from_thread()

    def _watch(self, life: Life) -> None:
        """Note each stop and the death, as the kernel tells them."""
        pid = life.popen.pid
        while True:
            told = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
            if told is None or told.si_code not in {os.CLD_STOPPED, os.CLD_TRAPPED}:
                break
            os.waitid(os.P_PID, pid, os.WSTOPPED)
            life.stopped_at = datetime.now(UTC)
            life.stopped = True
            self._bell.ring_from_thread()
        life.popen.wait()
        life.ended_at = datetime.now(UTC)
        life.over = True
        self._bell.ring_from_thread()


def _line(text: str) -> Line:
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        fields = {}
    return Line(datetime.now(UTC), text, str(fields.get("event", "")), fields)
