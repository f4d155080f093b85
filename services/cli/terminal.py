"""The terminal: where output goes, who sits at it, and which data directory commands are to name."""

from __future__ import annotations

import getpass
import shlex
import sys
from pathlib import Path

from rich.console import Console

# A program that reads our output is no terminal: nothing is to be cut off for want of width.
_PIPE_WIDTH = 160


def output() -> Console:
    """The console on stdout."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> bool | None:
    """Ask a yes-or-no question, no by default; None where the person left without an answer."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print()  # noqa: T201 - the line that the answer would have ended
        return None


def person() -> str:
    """Who types, for the audit log; empty where the system knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def data_option(data: Path | None) -> str:
    """What a command to be typed needs besides, so that it finds the same house."""
    return "" if data is None else f" --data {shlex.quote(str(data))}"
