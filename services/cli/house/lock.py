"""Locks of a data directory: one supervisor at a time, and none while processes of an earlier one live."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import DATA_DIR_IN_USE, TallyError

_RELEASED_WITHIN = 2.0
_TRY_EVERY = 0.05


@contextmanager
def supervisor_lock(data_dir: Path) -> Iterator[None]:
    """Be the only supervisor of `data_dir`. Raises E-5005 that names the other one's pid."""
    path = data_dir / "house.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _take(descriptor):
            pid = path.read_text(encoding="ascii").strip() or "unknown"
            raise TallyError(DATA_DIR_IN_USE, pid=pid, data_dir=data_dir)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def process_lock(data_dir: Path, former_pid: int | None) -> Iterator[int]:
    """A lock that every process of the house inherits by its file descriptor and so holds until its own end.

    Two NATS servers on one store would ruin it; this holds even where a clock was set and `house.json` no longer proves
    whose a process is. Raises E-5005 where processes of the supervisor `former_pid` still live.
    """
    descriptor = os.open(data_dir / "processes.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + _RELEASED_WITHIN
        while not _take(descriptor):
            if time.monotonic() > deadline:
                whose = f"{former_pid or 'unknown'}, whose processes live on"
                raise TallyError(DATA_DIR_IN_USE, pid=whose, data_dir=data_dir)
            time.sleep(_TRY_EVERY)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True
