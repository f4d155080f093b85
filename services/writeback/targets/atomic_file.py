"""A file replaced in one step: at every instant it is the old one or the new one, whole."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.failpoints import failpoint

_SUFFIX = ".tally-tmp"
# Attributes that only a privileged process may set, or that the file system does not keep.
_MAY_NOT_KEEP = (errno.EPERM, errno.EACCES, errno.ENOTSUP)


class FileChangedError(Exception):
    """The file is no longer the one that was read."""


@dataclass(frozen=True)
class FileVersion:
    """What tells one state of a file from every other; `changed_ns` moves with its attributes too."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, state: os.stat_result) -> FileVersion:
        """The version a stat describes."""
        return cls(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def read_file(path: Path) -> tuple[bytes, FileVersion]:
    """A file's bytes and version. Raises FileChangedError where it changed meanwhile, or OSError."""
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        content = file.read()
        after = os.fstat(file.fileno())
    version = FileVersion.of(after)
    if FileVersion.of(before) != version or len(content) != version.size:
        raise FileChangedError
    return content, version


def replace_file(path: Path, content: bytes, read: FileVersion) -> None:
    """Replace the file at `path`, which is no symlink, by one with `content`, its mode, owner and attributes kept.

    Raises FileChangedError where the file is not in the version `read`, and OSError where it may not be written, the
    disk is full or the folder is read-only; in both cases nothing has changed.
    """
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, "the file is read-only", str(path))
    with _temporary(path.parent, content) as (temporary, handle):
        _keep_attributes(path, handle)
        os.fsync(handle)
        _expect_version(path, read)
        failpoint("writeback.before_replace")
        temporary.replace(path)
    failpoint("writeback.after_replace")
    _sync_folder(path.parent)


def create_file(path: Path, content: bytes, *, like: Path) -> None:
    """Make a file at `path` with `content`, whole from the first instant; who may read it is as with the file `like`.

    Raises FileChangedError where there is one already, and OSError as `replace_file` does.
    """
    with _temporary(path.parent, content) as (temporary, handle):
        os.fchmod(handle, _readable_like(like))
        os.fsync(handle)
        failpoint("writeback.before_replace")
        _link(temporary, path)
    failpoint("writeback.after_replace")
    _sync_folder(path.parent)


def copy_file(path: Path, content: bytes, *, of: Path) -> None:
    """Make a file at `path` with `content`, whole from the first instant, with mode, owner and attributes `of` another.

    Raises FileChangedError where there is one already, and OSError as `replace_file` does.
    """
    with _temporary(path.parent, content) as (temporary, handle):
        _keep_attributes(of, handle)
        os.fsync(handle)
        _link(temporary, path)
    _sync_folder(path.parent)


def write_file(path: Path, content: bytes, *, like: Path) -> None:
    """Make or replace a file of our own at `path`, in one step; who may read it is as with the file `like`."""
    with _temporary(path.parent, content) as (temporary, handle):
        keep_owner(handle, like.stat())
        os.fchmod(handle, _readable_like(like))
        os.fsync(handle)
        temporary.replace(path)
    _sync_folder(path.parent)


def _readable_like(like: Path) -> int:
    return stat.S_IMODE(like.stat().st_mode) & 0o666 | 0o600


def _link(temporary: Path, path: Path) -> None:
    """Give a temporary file its name. Raises FileChangedError where there is a file of that name."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise FileChangedError from error
    temporary.unlink()


@contextmanager
def _temporary(folder: Path, content: bytes) -> Iterator[tuple[Path, int]]:
    """A file of its own with `content`, and its handle; removed where it does not get another name."""
    temporary = folder / f".tally-{secrets.token_hex(8)}{_SUFFIX}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # Whoever finds the temporary file left over knows by this lock whether its writer still lives.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(handle, content)
        yield temporary, handle
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise
    finally:
        os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers that died in `folder`; those of living ones are locked and stay."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(".tally-") and entry.name.endswith(_SUFFIX)]
    for name in names:
        with suppress(OSError):  # another writer is at work, or cleaned up first
            handle = os.open(folder / name, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                (folder / name).unlink()
            finally:
                os.close(handle)


def _write(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _expect_version(path: Path, read: FileVersion) -> None:
    if FileVersion.of(path.lstat()) != read:
        raise FileChangedError


def _keep_attributes(path: Path, handle: int) -> None:
    state = path.lstat()
    keep_owner(handle, state)
    os.fchmod(handle, stat.S_IMODE(state.st_mode))
    if hasattr(os, "listxattr"):
        for name in os.listxattr(path):
            _keep_extended_attribute(path, handle, name)


def keep_owner(place: int | Path, state: os.stat_result) -> None:
    """Give a file, by its handle or path, the owner and group in `state`, as far as that is allowed."""
    own = os.fstat(place) if isinstance(place, int) else place.stat()
    with suppress(PermissionError):  # a group can be given only by its members
        if state.st_gid != own.st_gid:
            os.chown(place, -1, state.st_gid)
    with suppress(PermissionError):  # and a file only by root
        if state.st_uid != own.st_uid:
            os.chown(place, state.st_uid, -1)


def _keep_extended_attribute(path: Path, handle: int, name: str) -> None:
    try:
        os.setxattr(handle, name, os.getxattr(path, name))
    except OSError as error:
        if error.errno not in _MAY_NOT_KEEP:
            raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def reason_of(error: OSError) -> str:
    """Why the file system refused, in its own words."""
    return error.strerror or str(error) or type(error).__name__
