"""One writer per source on this machine: a lock that processes share and that death releases."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.contracts.source import CsvSource, source_hash

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05  # seconds


class SourceLocks:
    """Locks by source hash, each a file of its own in `folder`.

    The files stay: a lock file that is removed could be locked by two, one by its old inode and one by its new.
    """

    def __init__(self, folder: Path, *, timeout: float = 10.0) -> None:
        self._folder = folder
        self._timeout = timeout

    @contextmanager
    def hold(self, source_hash: str) -> Iterator[None]:
        """Hold the lock of a source against every other thread and process.

        Raises TimeoutError where another holds it beyond the time-out, OSError where there can be no lock file.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f"{source_hash}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._acquire(handle)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def hold_file(self, path: Path) -> Iterator[None]:
        """Hold the lock of the file at `path`, one whichever of its sheets a source is. Raises as `hold` does."""
        with self.hold(source_hash(CsvSource(path=str(path)))):
            yield

    def _acquire(self, handle: int) -> None:
        deadline = time.monotonic() + self._timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"another process has been writing it for {self._timeout:g} s") from None
                time.sleep(pause * random.uniform(0.5, 1.0))  # nosec B311  # noqa: S311 - jitter is no secret
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return
