"""Reading a file that somebody may change meanwhile."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

from shared.errors import SOURCE_UNREADABLE, TallyError

# How often a file is read that changes while it is read.
TRIES = 3

# Writes that are closer together than a system's clock for files ticks (at most 10 ms) may leave the same time.
_TICK_NS = 20_000_000
_PAUSES = 50

# A folder on the way need not be readable, where the system can open one just to pass through it.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def open_real(path: Path) -> BinaryIO:
    """Open the regular file at `path`, an absolute path without symlinks, to read it.

    Each folder on the way is opened within the one before and no symlink is followed, so whatever was put in a folder's
    or the file's place since the path was found to be inside a source root is not read. Raises OSError.
    """
    *folders, name = path.parts[1:]
    within = os.open(path.anchor, _FOLDER)
    try:
        for folder in folders:
            next_one = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=within)
            os.close(within)
            within = next_one
        # Without O_NONBLOCK the opening of a pipe would wait for whoever writes to it.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=within)
    finally:
        os.close(within)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(handle, "rb")


def version_of(file: BinaryIO) -> tuple[int, int]:
    """The size of an open file and when it was last written to: what tells one state of it from others."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def settled_version(file: BinaryIO, label: str) -> tuple[int, int]:
    """The same as soon as every later write will show in it; blocks for a moment where the file was just written to.

    Raises E-1002 where it is written to all the time, and OSError.
    """
    for _ in range(_PAUSES):
        version = version_of(file)
        # A time to come is another machine's, and tells nothing of this moment.
        if not 0 <= time.time_ns() - version[1] < _TICK_NS:
            return version
        time.sleep(_TICK_NS / 1e9)
    raise unsteady(label)


def unreadable(label: str, error: OSError) -> TallyError:
    """E-1002 for what the system says of a file."""
    return TallyError(SOURCE_UNREADABLE, path=label, reason=error.strerror or "unreadable")


def unsteady(label: str) -> TallyError:
    """E-1002 for a file that changed at every try."""
    return TallyError(SOURCE_UNREADABLE, path=label, reason="it keeps changing while it is read")
