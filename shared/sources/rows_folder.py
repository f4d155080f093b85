"""The folder that keeps a source's rows while they are taken in: readable by its user only, and gone with its process.

A process that is killed leaves its folder behind. Whoever is next to take a source in removes it, and so does a
coordinator that starts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.errors import NOT_KEPT, TallyError

_MAKING, _HELD = "tally-making-", "tally-rows-"


class RowsFolder:
    """One folder, in the system's folder for temporary files."""

    def __init__(self, label: str) -> None:
        """For the rows of the source `label`. Raises E-1016."""
        with keeping(label):
            remove_leftovers()
            made = Path(tempfile.mkdtemp(prefix=_MAKING))
            held = _hold(made)
            # By the name that is looked for it is known only once it is held, so nobody takes it for a leftover.
            self.path = made if held is None else made.rename(made.with_name(made.name.replace(_MAKING, _HELD)))
        self._removal = weakref.finalize(self, _remove, self.path, held)

    def cleanup(self) -> None:
        """Remove it with all that is in it."""
        self._removal()


@contextmanager
def keeping(label: str) -> Iterator[None]:
    """Tells of what the system refuses while the rows of the source `label` are written: E-1016."""
    try:
        yield
    except OSError as error:
        raise not_kept(label, error) from error


def not_kept(label: str, error: OSError) -> TallyError:
    """E-1016 for what the system says of rows that are written."""
    return TallyError(NOT_KEPT, path=label, reason=error.strerror or "unwritable")


def remove_leftovers() -> None:
    """Remove the folders that this user's killed processes left behind."""
    try:
        with os.scandir(tempfile.gettempdir()) as entries:
            found = [Path(entry.path) for entry in entries if entry.name.startswith(_HELD)]
    except OSError:
        # Whoever makes a folder there is told why not.
        return
    for path in found:
        # One that is held, or removed meanwhile, is nobody's leftover.
        with suppress(OSError):
            held = _hold(path)
            if held is not None:
                _remove(path, held)


def _hold(path: Path) -> int | None:
    """A descriptor that holds a folder of one's own until it is closed; None where it is held, or cannot be.

    Raises OSError where it cannot be opened.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(folder).st_uid == os.getuid():
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return folder
    except OSError:
        # Held by another process, or in a file system without locks.
        os.close(folder)
        return None
    os.close(folder)
    return None


def _remove(path: Path, held: int | None) -> None:
    shutil.rmtree(path, ignore_errors=True)
    if held is not None:
        os.close(held)
