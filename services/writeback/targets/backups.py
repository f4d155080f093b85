"""Copies of a file as it was before a job first wrote to it: `.tally-backups/orders.2026-11-21T034500Z.csv` beside it.

Which copy is whose is in a record there, `orders.csv.backups.json`: a job has one copy of a file, however often writing
is tried and whoever does it. All of this is done by whoever holds the file's lock.
"""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from services.writeback.targets.atomic_file import (
    FileChangedError,
    copy_file,
    keep_owner,
    read_file,
    reason_of,
    remove_leftovers,
    write_file,
)
from shared.clock import Clock
from shared.contracts.message import Timestamp
from shared.errors import BACKUP_FAILED, TallyError
from shared.failpoints import failpoint
from shared.telemetry import logger

log = logger("backups")

FOLDER = ".tally-backups"
_STAMP = "%Y-%m-%dT%H%M%SZ"
_RECORDED = 500


class Backup(BaseModel):
    """A copy: its file's name, when it was made, and for which job, before its first write or before its restore."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    job_id: str
    before: Literal["first_write", "restore"] = "first_write"
    file: str
    taken_at: Timestamp


class _Record(BaseModel):
    """The copies made of one file, oldest first; those at the front may be deleted by now."""

    backups: tuple[Backup, ...] = ()


class Backups:
    """The copies of files, `keep` of each; none are made where that is 0."""

    def __init__(self, keep: int, clock: Clock) -> None:
        self._keep = keep
        self._clock = clock
        self._known: set[tuple[Path, str]] = set()

    def take(self, path: Path, content: bytes, job_ids: Collection[str], label: str) -> None:
        """Copy the file at `path`, which holds `content`, for each of the jobs that has no copy of it yet.

        Raises E-4023: there is no copy, so nothing may be written.
        """
        if not self._keep or all((path, job_id) in self._known for job_id in job_ids):
            return
        with _reported(label):
            record = _read(path)
            having = {backup.job_id for backup in record.backups if backup.before == "first_write"}
            lacking = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in having]
            if lacking:
                self._copy(path, content, record, lacking, "first_write")
            self._known |= {(path, job_id) for job_id in job_ids}

    def take_before_restore(self, path: Path, content: bytes, backup: Backup, label: str) -> str:
        """Copy the file at `path`, which `backup` is about to replace; the copy's path. Raises E-4023."""
        with _reported(label):
            return str(self._copy(path, content, _read(path), [backup.job_id], "restore", spare=backup.file))

    def of_job(self, path: Path, job_id: str) -> tuple[Backup, Path] | None:
        """The copy of `path` from before a job's first write, and where it is; None where there is none any more."""
        for backup in _read(path).backups:
            if (backup.job_id, backup.before) == (job_id, "first_write") and _place(path, backup.file).is_file():
                return backup, _place(path, backup.file)
        return None

    def jobs_since(self, path: Path, backup: Backup) -> tuple[str, ...]:
        """The other jobs that first wrote to the file when `backup` had been made, or at once with its job."""
        backups = _read(path).backups
        since = backups[backups.index(backup) :]
        same = [other for other in backups if other.file == backup.file]
        others = dict.fromkeys(other.job_id for other in (*same, *since) if other.before == "first_write")
        return tuple(job_id for job_id in others if job_id != backup.job_id)

    def _copy(
        self,
        path: Path,
        content: bytes,
        record: _Record,
        job_ids: Collection[str],
        before: Literal["first_write", "restore"],
        spare: str | None = None,
    ) -> Path:
        """Copy and record, in this order: whoever dies in between leaves a copy that the next one finds and records."""
        folder = _make_folder(path)
        remove_leftovers(folder)
        taken_at = self._clock()
        recorded = {backup.file for backup in record.backups}
        made = next((name for name in _copies(path) if name not in recorded and _holds(folder / name, content)), None)
        if made is None:
            failpoint("writeback.before_backup")
            made = _copy_to_free_name(path, content, taken_at.strftime(_STAMP))
            failpoint("writeback.after_backup")
        added = [Backup(job_id=job_id, before=before, file=made, taken_at=taken_at) for job_id in job_ids]
        kept = _Record(backups=(*record.backups, *added)[-_RECORDED:])
        write_file(_record_place(path), kept.model_dump_json(indent=1).encode(), like=path)
        self._prune(path, {made, *filter(None, [spare])})
        return folder / made

    def _prune(self, path: Path, spared: Collection[str]) -> None:
        """Delete all copies but the newest; one that cannot be deleted is no reason to write nothing."""
        names = _copies(path)
        for name in names[: max(0, len(names) - self._keep)]:
            if name in spared:
                continue
            try:
                _place(path, name).unlink(missing_ok=True)
            except OSError as error:
                log.warning("an old backup stays", file=name, reason=error.strerror)


@contextmanager
def _reported(label: str) -> Iterator[None]:
    """Turn a failure of the file system into E-4023."""
    try:
        yield
    except OSError as error:
        raise TallyError(BACKUP_FAILED, path=label, folder=FOLDER, reason=reason_of(error)) from error


def _place(path: Path, name: str) -> Path:
    return path.parent / FOLDER / name


def _record_place(path: Path) -> Path:
    return _place(path, f"{path.name}.backups.json")


def _read(path: Path) -> _Record:
    """What was recorded of the file at `path`; nothing where the record is damaged, which is said."""
    try:
        return _Record.model_validate_json(_record_place(path).read_bytes())
    except FileNotFoundError:
        return _Record()
    except ValidationError:
        log.error("the record of a file's backups cannot be read; it begins anew", record=_record_place(path).name)
        return _Record()


def _make_folder(path: Path) -> Path:
    """The folder of the copies, readable for whoever may read the file's own. Raises OSError, as for a link."""
    folder = path.parent / FOLDER
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        keep_owner(folder, path.parent.stat())
        folder.chmod(stat.S_IMODE(path.parent.stat().st_mode) & 0o777)
    if folder.is_symlink() or not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{FOLDER} is no folder of its own")
    return folder


def _copies(path: Path) -> list[str]:
    """The names of all copies of the file at `path`, oldest first."""
    pattern = re.compile(
        rf"{re.escape(path.stem)}\.(\d{{4}}-\d\d-\d\dT\d{{6}}Z)(?:-(\d+))?{re.escape(path.suffix)}", re.ASCII
    )
    names = [entry.name for entry in (path.parent / FOLDER).iterdir()]
    found = [(match, name) for name in names if (match := pattern.fullmatch(name))]
    return [name for _, name in sorted(found, key=lambda one: (one[0][1], int(one[0][2] or 1)))]


def _holds(copy: Path, content: bytes) -> bool:
    """Whether a copy has this content; one that is not to be read has not."""
    with suppress(OSError, FileChangedError):
        return copy.stat().st_size == len(content) and read_file(copy)[0] == content
    return False


def _copy_to_free_name(path: Path, content: bytes, stamp: str) -> str:
    for name in _names(path, stamp):
        with suppress(FileChangedError):  # there is one of that second already
            copy_file(_place(path, name), content, of=path)
            return name
    raise AssertionError("unreachable")


def _names(path: Path, stamp: str) -> Iterator[str]:
    yield f"{path.stem}.{stamp}{path.suffix}"
    number = 2
    while True:
        yield f"{path.stem}.{stamp}-{number}{path.suffix}"
        number += 1
