"""A real terminal, tmux, of any width: what is typed into it, and what then stands on it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PATIENCE = 120.0
_HEIGHT = "400"


@dataclass(frozen=True)
class Answer:
    """What is typed, with Enter, once `question` stands in the last line; None leaves with Ctrl-D.

    `first` is done before.
    """

    question: str
    keys: str | None
    first: Callable[[], object] = lambda: None


@dataclass
class Screen:
    """A shell on a terminal; `prompt` is how its prompt begins while it waits for a command."""

    socket: str
    prompt: str = "$"

    def run(self, line: str, *answers: Answer) -> str:
        """What a command has put on the screen, with the line itself, once the prompt is back."""
        before = len(self.text().splitlines())
        self.type(line)
        for number, answer in enumerate(answers, start=1):
            self._wait(partial(_asks, answer.question, before, number))
            answer.first()
            if answer.keys is None:
                self._press("C-d")
            else:
                self.type(answer.keys)
        self._wait(lambda text: self._is_ready(text, before))
        said = self.text().splitlines()[before - 1 : -1]
        return "\n".join(line.rstrip() for line in said) + "\n"

    def text(self) -> str:
        """All that stands on the screen and above it, without what is empty below."""
        return _tmux(self.socket, "capture-pane", "-p", "-S", "-").rstrip()

    def _is_ready(self, text: str, before: int) -> bool:
        lines = text.splitlines()
        return len(lines) > before and lines[-1].rstrip() == self.prompt

    def _wait(self, holds: Callable[[str], bool]) -> None:
        deadline, tick = time.monotonic() + PATIENCE, threading.Event()
        while not holds(text := self.text()):
            assert time.monotonic() < deadline, text
            tick.wait(0.1)  # a terminal tells nobody that something was written to it

    def ready(self) -> None:
        """Wait for the prompt."""
        self._wait(lambda text: text.splitlines()[-1:] == [self.prompt])

    def type(self, line: str) -> None:
        if line:
            _tmux(self.socket, "send-keys", "-l", line)
        self._press("Enter")

    def _press(self, key: str) -> None:
        _tmux(self.socket, "send-keys", key)


@contextmanager
def screen(folder: Path, width: int, environment: Mapping[str, str]) -> Iterator[Screen]:
    """A terminal of `width` columns with a shell in `folder`; it ends with the block."""
    socket = f"tally-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    own = [f"{name}={value}" for name, value in {**environment, "PS1": "$ ", "LANG": "C.UTF-8"}.items()]
    shell = ("env", *own, "bash", "--norc", "--noprofile", "-i")
    size = ("-x", str(width), "-y", _HEIGHT)
    _tmux(socket, "-f", os.devnull, "new-session", "-d", *size, "-c", str(folder), *shell)
    try:
        one = Screen(socket)
        one.ready()
        yield one
    finally:
        _tmux(socket, "kill-server")


def _asks(question: str, before: int, times: int, text: str) -> bool:
    # A terminal breaks a long question in two.
    return "".join(text.splitlines()[before - 1 :]).count(question) == times


def _tmux(socket: str, *words: str) -> str:
    done = subprocess.run(
        ["tmux", "-u", "-L", socket, *words], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return done.stdout
