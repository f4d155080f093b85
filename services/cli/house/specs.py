"""What a house runs: each process's command, environment and sign of readiness, in the order of starting."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.bus.connecting import BusAccess
from shared.client import TallyClient
from shared.errors import TallyError

_LOOK_EVERY = 0.1
_ANSWER_WITHIN = 0.3
_CONNECT_WITHIN = 2.0


@dataclass(frozen=True)
class Started:
    """A process just started: its pid, and where in its log file this run's lines begin."""

    pid: int
    log: Path
    offset: int


Readiness = Callable[[Started], Awaitable[None]]


@dataclass(frozen=True)
class ProcessSpec:
    """One process to keep running; `ready` returns once it serves. It inherits the descriptors in `inherits`."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready: Readiness
    inherits: tuple[int, ...] = ()


Layers = tuple[tuple[ProcessSpec, ...], ...]


def module(name: str) -> tuple[str, ...]:
    """The command of a service; -P keeps a stray csv.py in the working directory from being imported."""
    return (sys.executable, "-P", "-m", f"services.{name}")


def accepts_connections(bus: BusAccess) -> Readiness:
    """Ready when `bus` lets a client in."""

    async def ready(_: Started) -> None:
        while True:
            try:
                async with await TallyClient.connect(bus, _CONNECT_WITHIN):
                    return
            except TallyError:
                await asyncio.sleep(_LOOK_EVERY)

    return ready


def prints_listening() -> Readiness:
    """Ready when the process has printed a line of JSON whose `event` is `listening`."""

    async def ready(started: Started) -> None:
        while True:
            if _says_listening(await asyncio.to_thread(_text_since, started)):
                return
            await asyncio.sleep(_LOOK_EVERY)

    return ready


def answers_status(bus: BusAccess) -> Readiness:
    """Ready when the process answers on `tally.status`."""

    async def ready(started: Started) -> None:
        while True:
            try:
                async with await TallyClient.connect(bus, _CONNECT_WITHIN) as client:
                    while all(service.pid != started.pid for service in await client.services(_ANSWER_WITHIN)):
                        pass  # each round of asking waits for its answers
                    return
            except TallyError:
                await asyncio.sleep(_LOOK_EVERY)

    return ready


def _text_since(started: Started) -> str:
    with started.log.open("rb") as file:
        file.seek(started.offset)
        return file.read().decode(errors="replace")


def _says_listening(text: str) -> bool:
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("event") == "listening":
            return True
    return False
