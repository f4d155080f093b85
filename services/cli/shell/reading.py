"""Where a session's lines come from: a terminal, with history and completion, or whatever is piped in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.terminal import is_interactive

if TYPE_CHECKING:
    from prompt_toolkit.history import History

_HISTORY = "shell_history"
_OWNER_ONLY = 0o600

ReadLine = Callable[[str], str]


def line_reader(data_dir: Path) -> ReadLine:
    """Reads a line after a prompt. It raises EOFError at the end, and KeyboardInterrupt where the line is dropped."""
    if not is_interactive():
        return _piped
    from prompt_toolkit import PromptSession

    from services.cli.shell.completing import SessionCompleter

    prompts: PromptSession[str] = PromptSession(
        history=_history(data_dir), completer=SessionCompleter(), complete_while_typing=False, complete_in_thread=True
    )
    return prompts.prompt


def _piped(_prompt: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _history(data_dir: Path) -> History:
    """What was typed before, kept with the house for its owner only; without a house it ends with the session."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    if not data_dir.is_dir():
        return InMemoryHistory()
    path = data_dir / _HISTORY
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))
    path.chmod(_OWNER_ONLY)
    return FileHistory(str(path))
