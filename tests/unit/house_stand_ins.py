"""Tiny programs that stand in for services, and an announcer that tests can wait on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from services.cli.house.process import Death
from services.cli.house.record import HouseRecord, ProcessRecord
from services.cli.house.specs import ProcessSpec, prints_listening

# Notes its start and its end in a file that all share, so that a test can read the order of things.
POLITE = """
import json, os, pathlib, signal, sys
name, journal = sys.argv[1:]
def note(what):
    with open(journal, "a") as file:
        file.write(f"{what} {name}\\n")
def end(*_):
    note("ended")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
note("started")
print(json.dumps({"event": "listening"}), flush=True)
while True:
    signal.pause()
"""

STUBBORN = """
import json, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(json.dumps({"event": "listening"}), flush=True)
while True:
    signal.pause()
"""


def polite(name: str, journal: Path) -> ProcessSpec:
    """A program that notes its start and end in `journal`."""
    return ProcessSpec(name, (sys.executable, "-c", POLITE, name, str(journal)), dict(os.environ), prints_listening())


def stubborn(name: str) -> ProcessSpec:
    """A program that ignores SIGTERM."""
    return ProcessSpec(name, (sys.executable, "-c", STUBBORN), dict(os.environ), prints_listening())


class Listening:
    """An announcer whose every word can be awaited."""

    def __init__(self) -> None:
        self.is_ready = asyncio.Event()
        self.deaths: asyncio.Queue[Death] = asyncio.Queue()
        self.returns: asyncio.Queue[ProcessRecord] = asyncio.Queue()
        self.house: HouseRecord | None = None
        self.ended: Sequence[str] = ()
        self.has_stopped = False
        self.notices: list[str] = []

    def ended_leftovers(self, names: Sequence[str]) -> None:
        self.ended = names

    def ready(self, house: HouseRecord) -> None:
        self.house = house
        self.is_ready.set()

    def noticed(self, text: str) -> None:
        self.notices.append(text)

    def died(self, death: Death) -> None:
        self.deaths.put_nowait(death)

    def runs_again(self, process: ProcessRecord) -> None:
        self.returns.put_nowait(process)

    def stopping(self) -> None:
        pass

    def stopped(self) -> None:
        self.has_stopped = True
