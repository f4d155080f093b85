"""Reading a file that somebody may change meanwhile."""

from __future__ import annotations

import os
from typing import BinaryIO

from shared.errors import SOURCE_UNREADABLE, TallyError

# How often a file is read that changes while it is read.
TRIES = 3


def version_of(file: BinaryIO) -> tuple[int, int]:
    """The size of an open file and when it was last written to: what tells one state of it from others."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def unreadable(label: str, error: OSError) -> TallyError:
    """E-1002 for what the system says of a file."""
    return TallyError(SOURCE_UNREADABLE, path=label, reason=error.strerror or "unreadable")


def unsteady(label: str) -> TallyError:
    """E-1002 for a file that changed at every try."""
    return TallyError(SOURCE_UNREADABLE, path=label, reason="it keeps changing while it is read")
