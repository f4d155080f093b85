"""How a process begins, and how it ends where it cannot start: one line for whoever reads its log, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from shared.errors import TallyError

_OWNER_ONLY = 0o077


def keep_files_to_oneself() -> None:
    """What this process and its children make from here on is their user's alone, whatever the shell's umask was."""
    os.umask(_OWNER_ONLY)


def run_or_explain(main: Callable[[], None]) -> None:
    """Run a service, whose files are its own; where it fails with an E-code, print that and exit with 1."""
    keep_files_to_oneself()
    try:
        main()
    except TallyError as error:
        sys.stderr.write(f"{error.body}\n")
        raise SystemExit(1) from error
