"""Reading a file that somebody may change meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from shared.errors import SOURCE_UNREADABLE, TallyError

# How often a file is read that changes while it is read.
TRIES = 3

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


def unreadable(label: str, error: OSError) -> TallyError:
    """E-1002 for what the system says of a file."""
    return TallyError(SOURCE_UNREADABLE, path=label, reason=error.strerror or "unreadable")


def unsteady(label: str) -> TallyError:
    """E-1002 for a file that changed at every try."""
    return TallyError(SOURCE_UNREADABLE, path=label, reason="it keeps changing while it is read")
