"""The terminal: where output goes, who sits at it, and what can be typed there."""

from __future__ import annotations

import getpass
import shlex
import shutil
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from rich.console import Console

from services.cli.session import current_session

# A program that reads our output is no terminal: nothing is to be cut off for want of width.
_PIPE_WIDTH = 160
TRIES = 3


def output() -> Console:
    """The console on stdout."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> bool | None:
    """Ask a yes-or-no question, no by default; None where the person left, or gave no answer in TRIES."""
    for _ in range(TRIES):
        try:
            answer = meaning(input(f"{question} [y/N] "))
        except EOFError:
            print()  # noqa: T201 - the line that the answer would have ended
            return None
        if answer is not None:
            return answer
        print("Please answer y or n.")  # noqa: T201 - a command line's output
    return None


class Answer(Enum):
    """What a person says to a preview in a session: yes, no, or yes and never ask again in it."""

    YES = "y"
    NO = "n"
    SWITCH = "a"


def ask_or_switch(question: str) -> Answer | None:
    """Ask to go ahead, no by default; None where the person left, or gave no answer in TRIES."""
    for _ in range(TRIES):
        try:
            answer = input(f"{question} [y/N/a: yes, and switch to auto] ").strip().lower()
        except EOFError:
            print()  # noqa: T201 - the line that the answer would have ended
            return None
        if answer in {"a", "auto"}:
            return Answer.SWITCH
        if (is_yes := meaning(answer)) is not None:
            return Answer.YES if is_yes else Answer.NO
        print("Please answer y, n or a.")  # noqa: T201 - a command line's output
    return None


def choose(question: str, answers: Mapping[str, str]) -> str | None:
    """Ask for one of `answers`, by its letter or its word; None where the person decides nothing now."""
    for _ in range(TRIES):
        try:
            answer = input(f"{question} ").strip().lower()
        except EOFError:
            print()  # noqa: T201 - the line that the answer would have ended
            return None
        if not answer:
            return None
        for letter, word in answers.items():
            if answer in {letter, word}:
                return word
        print(f"Please answer {', '.join(answers)} or nothing.")  # noqa: T201 - a command line's output
    return None


def meaning(answer: str) -> bool | None:
    """Whether an answer is yes, or no, which an empty one is too; None where it is neither."""
    word = answer.strip().lower()
    if word in {"y", "yes"}:
        return True
    return False if word in {"", "n", "no"} else None


def person() -> str:
    """Who types, for the audit log; empty where the system knows no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def command(*words: str, data: Path | None = None) -> str:
    """A command as the person can type it here: by `tally` where PATH finds this program, else by its path.

    In a session it is typed without either. `data` is the data directory that was typed, if any.
    """
    house = "" if data is None else f" --data {shlex.quote(str(data))}"
    if current_session() is not None:
        return f"{' '.join(words)}{house}"
    own, found = Path(sys.argv[0]), shutil.which("tally")
    is_tally = own.name != "tally" or (found is not None and Path(found).resolve() == own.resolve())
    program = "tally" if is_tally else shlex.quote(str(own.absolute()))
    return f"{program} {' '.join(words)}{house}"
