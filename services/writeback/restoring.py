"""Puts a file back as it was before a job first wrote to it, if nothing else is lost by that or a person insists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.writeback.targets.atomic_file import (
    FileChangedError,
    FileVersion,
    copy_file,
    read_file,
    reason_of,
    replace_file,
)
from services.writeback.targets.backups import Backups
from services.writeback.targets.comparison import compare
from services.writeback.targets.file_target import AnyFileTarget, FileSource
from services.writeback.targets.lock import SourceLocks
from shared.contracts.restoring import Restoration, RestoreSource
from shared.contracts.source import DatabaseSource, has_sidecar, source_label
from shared.errors import (
    NO_BACKUP,
    OUTSIDE_ROOTS,
    RESTORE_REFUSED,
    SOURCE_UNREADABLE,
    WRITE_FAILED,
    TallyError,
)
from shared.telemetry import logger

log = logger("restoring")

_NAMED_ROWS = 20


class Restorer:
    """Restores files under `roots`, each of a kind that `targets` can read."""

    def __init__(
        self, roots: Sequence[Path], locks: SourceLocks, backups: Backups, targets: Mapping[str, AnyFileTarget]
    ) -> None:
        self._roots = tuple(roots)
        self._locks = locks
        self._backups = backups
        self._targets = targets

    def restore(self, order: RestoreSource) -> Restoration:
        """Tell what a restore replaces or, where the order names the file's digest, do it. Blocks: call it in a thread.

        Raises E-4024 where there is no copy, E-4025 where more would be lost or the file changed meanwhile, E-4023,
        E-4011, E-1002 or E-1006. The file is then as it was.
        """
        source = order.source
        if isinstance(source, DatabaseSource) or has_sidecar(source):
            why = "databases are not copied" if isinstance(source, DatabaseSource) else "it is never written to"
            raise TallyError(NO_BACKUP, path=source_label(source), job_id=order.job_id, reason=why)
        path = self._place(source.path)
        try:
            with self._locks.hold_file(path):
                return self._restore_locked(path, source, order)
        except FileChangedError as error:
            raise _refusal(path, "it was saved just now") from error
        except OSError as error:
            raise TallyError(WRITE_FAILED, path=str(path), reason=reason_of(error)) from error

    def _restore_locked(self, path: Path, source: FileSource, order: RestoreSource) -> Restoration:
        found = self._backups.of_job(path, order.job_id)
        if found is None:
            reason = "none was made, or it had to make way for newer ones"
            raise TallyError(NO_BACKUP, path=str(path), job_id=order.job_id, reason=reason)
        backup, place = found
        content, _ = read_file(place)
        present = _present(path)
        told = Restoration(
            job_id=order.job_id,
            path=str(path),
            backup=str(place),
            taken_at=backup.taken_at,
            digest="" if present is None else hashlib.sha256(present[0]).hexdigest(),
            **({} if present is None else self._difference(source, present[0], content, order.written)),
        )
        if present is not None:
            told = told.model_copy(update={"other_jobs": self._backups.jobs_since(path, backup)})
        if order.digest is None:
            return told
        if order.digest != told.digest:
            raise _refusal(path, "it was saved since it was looked at")
        if told.losses() and not order.force:
            raise _refusal(path, "; ".join(told.losses()))
        kept = None
        if present is None:
            copy_file(path, content, of=place)
        elif present[0] != content:
            kept = self._backups.take_before_restore(path, present[0], backup, str(path))
            replace_file(path, content, present[1])
        log.info("a source was restored", job=order.job_id, backup=backup.file)
        return told.model_copy(update={"restored": True, "kept_as": kept})

    def _difference(self, source: FileSource, present: bytes, content: bytes, written: int) -> dict[str, object]:
        target = self._targets[source.kind]
        try:
            copy = target.contents(content, source)
            difference = compare(target.contents(present, source), copy)
        except TallyError as error:
            return {} if present == content else {"unreadable": error.body.message.rstrip(".")}
        return {
            "numbers": difference.numbers,
            "other_numbers": max(0, difference.numbers - written),
            "changed": len(difference.changed),
            "changed_rows": difference.changed[:_NAMED_ROWS],
            "missing": difference.missing,
            "moved": difference.moved,
            "changed_parts": difference.parts,
        }

    def _place(self, given: str) -> Path:
        """The real path of the file that a job's source names, whether it is there or not. Raises E-1006 or E-1002."""
        path = Path(given)
        path = path.parent.resolve() / path.name
        if not any(path.is_relative_to(root.resolve()) for root in self._roots):
            raise TallyError(OUTSIDE_ROOTS, path=given)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise TallyError(SOURCE_UNREADABLE, path=given, reason="it is a folder or a link by now")
        return path


def _present(path: Path) -> tuple[bytes, FileVersion] | None:
    try:
        return read_file(path)
    except FileNotFoundError:
        return None


def _refusal(path: Path, losses: str) -> TallyError:
    return TallyError(RESTORE_REFUSED, path=str(path), losses=losses)
