"""Paths a request names, held inside the folders this installation may read."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.errors import OUTSIDE_ROOTS, SOURCE_NOT_FOUND, SOURCE_UNREADABLE, TallyError
from shared.sources.files import open_real


def resolve_within(path: str, roots: Sequence[Path]) -> Path:
    """The real path of the readable file that `path` names, inside one of `roots` after following every symlink.

    A relative path is tried against each root in turn; an absolute one must lie inside some root. Raises E-1006
    (outside), E-1001 (no such file) or E-1002 (a folder, no regular file, or unreadable). Whether something exists
    outside the roots is never told.
    """
    if not path.isprintable():
        shown = "".join(char if char.isprintable() else "?" for char in path)
        raise TallyError(SOURCE_UNREADABLE, path=shown, reason="its name has control characters")
    try:
        inside = [real for real, root in _candidates(path, roots) if real.is_relative_to(root)]
        found = next((real for real in inside if real.exists()), None)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symlinks
        raise TallyError(SOURCE_UNREADABLE, path=path, reason=_reason(error)) from error
    if found is None:
        if not inside:
            raise TallyError(OUTSIDE_ROOTS, path=path)
        raise TallyError(SOURCE_NOT_FOUND, path=path, root=roots[0].resolve())
    _check_readable(found, path)
    return found


def _candidates(path: str, roots: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    for root in roots:
        real_root = root.resolve()
        yield (real_root / path).resolve(), real_root


def _check_readable(found: Path, path: str) -> None:
    mode = found.stat().st_mode
    if stat.S_ISDIR(mode):
        raise TallyError(SOURCE_UNREADABLE, path=path, reason="it is a folder")
    if not stat.S_ISREG(mode):
        raise TallyError(SOURCE_UNREADABLE, path=path, reason="it is not a regular file")
    try:
        open_real(found).close()
    except OSError as error:
        raise TallyError(SOURCE_UNREADABLE, path=path, reason=_reason(error)) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "its symlinks form a loop"
