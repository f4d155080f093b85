"""A house as a child process: started, listened to, and stopped whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.cli.house.environment import make_importable
from services.cli.house.process import STOP_GRACE, race
from services.cli.house.record import HouseRecord
from shared.errors import UNEXPECTED, ErrorBody, TallyError

Heard = Callable[[dict[str, Any]], None]

READY_WITHIN = 60.0
_PROCESSES_IN_TURN = 3


@dataclass
class _Words:
    """What a house has said so far: its readiness, or the error it left with."""

    heard: Heard
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    record: HouseRecord | None = None
    other: list[str] = field(default_factory=list)

    async def listen(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            text = line.decode()
            try:
                word = json.loads(text)
            except ValueError:
                word = None
            if not isinstance(word, dict) or "event" not in word:
                self.other.append(text)
                continue
            if word["event"] == "ready":
                self.record = HouseRecord.model_validate(word)
                self.is_ready.set()
            self.heard(word)

    def failure(self) -> TallyError:
        """The error that the house printed, a document of several lines."""
        text = "".join(self.other)
        try:
            return TallyError.from_body(ErrorBody.model_validate(json.loads(text)["error"]))
        except (ValueError, KeyError):
            return TallyError(UNEXPECTED, what=f"tally up did not become ready: {text.strip() or 'it said nothing'}")


@asynccontextmanager
async def child_house(
    data_dir: Path, working_dir: Path, settings: Mapping[str, str], heard: Heard
) -> AsyncIterator[HouseRecord]:
    """A house with the sandbox carrier for as long as the block runs; `heard` gets each of its JSON lines.

    It knows of no setting but `settings`, so that nothing set up for real work reaches it. Raises what `tally up`
    failed with. The house is stopped cleanly at the end, and killed where it does not stop.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLY_")} | dict(settings)
    make_importable(environment)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", "up", "--sandbox", "--json", "--data", str(data_dir)),
        cwd=working_dir,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for whoever started it to act on, in order
    )
    assert process.stdout is not None
    words = _Words(heard)
    async with asyncio.TaskGroup() as group:
        group.create_task(words.listen(process.stdout))
        try:
            await race(words.is_ready.wait(), process.wait(), asyncio.sleep(READY_WITHIN))
            if words.record is not None:
                yield words.record
        finally:
            await _stop(process)
    if words.record is None:
        raise words.failure()


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Stop the house; whoever loses patience meanwhile has it kill its processes at once."""
    _signal(process)
    try:
        await race(process.wait(), asyncio.sleep(_PROCESSES_IN_TURN * STOP_GRACE))
    except asyncio.CancelledError:
        _signal(process)
        await race(process.wait(), asyncio.sleep(STOP_GRACE))
        raise
    finally:
        if process.returncode is None:
            process.kill()


def _signal(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):  # it ended by itself just now
            process.send_signal(signal.SIGTERM)
