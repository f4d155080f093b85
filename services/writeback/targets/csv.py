"""Tracking numbers into a CSV file: all that wait for it in one atomic replace."""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from services.writeback.targets.atomic_file import (
    FileChangedError,
    FileVersion,
    read_file,
    remove_leftovers,
    replace_file,
)
from services.writeback.targets.csv_document import CsvDocument, parse_document
from services.writeback.targets.csv_edit import Edit, edit
from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.target import RowChange
from shared.contracts.source import CsvSource, Source, source_hash
from shared.contracts.writeback import RowWritten
from shared.errors import OUTSIDE_ROOTS, WRITE_FAILED, ErrorBody, TallyError
from shared.sources.paths import resolve_within

_TRIES = 5
_PAUSE = 0.02  # seconds, doubled at each try
_REMEMBERED_BYTES = 32 << 20


class CsvTarget:
    """Writes into CSV files under `roots`, one writer per file at a time."""

    def __init__(self, roots: Sequence[Path], locks: SourceLocks) -> None:
        self._roots = tuple(roots)
        self._locks = locks
        self._parsed = _ParsedFiles(_REMEMBERED_BYTES)
        self._tidied: set[Path] = set()

    def apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        """Write `changes` into the file (see Target.apply). Each failure is E-4010, E-4011, E-4012 or E-1006."""
        if not isinstance(source, CsvSource):
            raise TypeError(f"{source.kind} is no CSV source")
        newest = {(change.job_id, change.row_number): change for change in changes}
        for change in changes:
            key = change.job_id, change.row_number
            newest[key] = max(newest[key], change, key=lambda one: one.row_version)
        errors = dict(zip(newest, self._write(source, list(newest.values())), strict=True))
        return [
            change.written() if error is None else change.failed(error)
            for change in changes
            for error in [errors[change.job_id, change.row_number]]
        ]

    def _write(self, source: CsvSource, changes: Sequence[RowChange]) -> Sequence[ErrorBody | None]:
        """Each change's failure, None where its row says what it should."""
        try:
            path = resolve_within(source.path, self._roots)
            with self._locks.hold(source_hash(CsvSource(path=str(path)))):
                return self._write_locked(path, source.path, changes)
        except TallyError as error:
            failure = error.body if error.kind is OUTSIDE_ROOTS else _failure(source.path, error)
        except TimeoutError:
            # Another writer holds the lock, frozen perhaps: the commands stay where they are and come again.
            raise
        except OSError as error:
            failure = _failure(source.path, error)
        return [failure] * len(changes)

    def _write_locked(self, path: Path, label: str, changes: Sequence[RowChange]) -> Sequence[ErrorBody | None]:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret
            with suppress(FileChangedError):
                raw, version = read_file(path)
                document = self._parsed.get(path, raw) or parse_document(raw, label)
                edited = edit(document, changes, label)
                try:
                    self._save(path, raw, version, edited)
                except OSError as error:
                    failure = _failure(label, error)
                    return [failure if waits else why for why, waits in zip(edited.errors, edited.pending, strict=True)]
                return edited.errors
        return [_failure(label, TimeoutError("it keeps changing while it is written"))] * len(changes)

    def _save(self, path: Path, raw: bytes, version: FileVersion, edited: Edit) -> None:
        content = edited.document.encode() if any(edited.pending) else raw
        if content != raw:
            if path.parent not in self._tidied:
                remove_leftovers(path.parent)
                self._tidied.add(path.parent)
            replace_file(path, content, version)
        self._parsed.remember(path, content, edited.document)


class _ParsedFiles:
    """The files parsed last, so that the next flush need not parse its own work; told apart by their whole content."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._files: OrderedDict[Path, tuple[bytes, CsvDocument]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, raw: bytes) -> CsvDocument | None:
        """The document in `raw`, if that is what the file held last."""
        with self._lock:
            known, document = self._files.get(path, (b"", None))
        return document if known == raw else None

    def remember(self, path: Path, raw: bytes, document: CsvDocument) -> None:
        """Keep the document in `raw`, and forget the ones used longest ago."""
        with self._lock:
            self._files[path] = raw, document
            self._files.move_to_end(path)
            while sum(len(known) for known, _ in self._files.values()) > self._most_bytes:
                self._files.popitem(last=False)


def _failure(label: str, error: OSError | TallyError) -> ErrorBody:
    if isinstance(error, TallyError):
        reason = error.body.message.rstrip(".")
    else:
        reason = error.strerror or str(error) or type(error).__name__
    return TallyError(WRITE_FAILED, path=label, reason=reason).body
