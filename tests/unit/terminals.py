"""`tally` as a person runs it: on a pseudo-terminal, answered as it asks."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHIN = 60.0
_SIZE = {"COLUMNS", "LINES"}  # a terminal has its own; pytest-xdist sets them for its workers
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


@dataclass
class Terminal:
    """A program on a pseudo-terminal and what it has said so far, without colours and cursor movements."""

    process: Process
    master: int
    said: str = ""
    _heard: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def listen(self) -> None:
        """Take what the program says as it comes."""
        asyncio.get_running_loop().add_reader(self.master, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # Linux says that the other side closed
            chunk = b""
        if not chunk:
            asyncio.get_running_loop().remove_reader(self.master)
        self._heard.put_nowait(chunk)

    async def until(self, words: str) -> str:
        """All that was said up to and with `words`, which are taken out of what was said."""
        try:
            async with asyncio.timeout(WITHIN):
                while words not in self.said:
                    chunk = await self._heard.get()
                    assert chunk, f"{words!r} was not said but: {self.said}"
                    self.said += _ESCAPES.sub("", chunk.decode(errors="replace"))
        except TimeoutError:
            raise AssertionError(f"{words!r} was not said in {WITHIN:.0f} s but: {self.said}") from None
        before, _, self.said = self.said.partition(words)
        return before + words

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        self.press(f"{line}\r")

    def press(self, keys: str) -> None:
        """Type keys, and no Enter besides."""
        os.write(self.master, keys.encode())

    async def end(self) -> tuple[int, str]:
        """The exit code and what was said to the end."""
        async with asyncio.timeout(WITHIN):
            code = await self.process.wait()
            while chunk := await self._heard.get():
                self.said += _ESCAPES.sub("", chunk.decode(errors="replace"))
        return code, self.said


@asynccontextmanager
async def tally_on_a_terminal(*words: str, cwd: Path, width: int = 200, **environment: str) -> AsyncIterator[Terminal]:
    """`tally …` on a terminal of `width` columns; what it was left doing ends with the block."""
    program = (sys.executable, "-m", "services.cli", *words)
    async with on_a_terminal(*program, cwd=cwd, width=width, **environment) as terminal:
        yield terminal


@asynccontextmanager
async def on_a_terminal(*program: str, cwd: Path, width: int = 200, **environment: str) -> AsyncIterator[Terminal]:
    """A program on a terminal of `width` columns; what it was left doing ends with the block."""
    own = {name: value for name, value in os.environ.items() if name not in _SIZE and not name.startswith("TALLY_")}
    # Nobody answers here where the cursor is, as a terminal would.
    own |= {"PYTHONPATH": str(ROOT), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **environment}
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (50, width))
    try:
        process = await asyncio.create_subprocess_exec(
            *program,
            cwd=cwd,
            env=own,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
    finally:
        os.close(slave)
    terminal = Terminal(process, master)
    terminal.listen()
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
