"""Tracking numbers into a file of any kind: all that wait for it in one atomic replace."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from services.writeback.targets.atomic_file import (
    FileChangedError,
    FileVersion,
    create_file,
    read_file,
    reason_of,
    remove_leftovers,
    replace_file,
)
from services.writeback.targets.backups import Backups
from services.writeback.targets.comparison import Contents
from services.writeback.targets.lock import SourceLocks
from services.writeback.targets.target import apply_newest
from shared.contracts.source import CsvSource, ExcelSource, ParquetSource, Source
from shared.contracts.writeback import RowWritten
from shared.errors import OUTSIDE_ROOTS, WRITE_FAILED, ErrorBody, TallyError
from shared.sources.changes import RowChange
from shared.sources.paths import resolve_within

_TRIES = 5
_PAUSE = 0.02  # seconds, doubled at each try
_REMEMBERED_BYTES = 128 << 20

Document = TypeVar("Document")
FileSource = CsvSource | ExcelSource | ParquetSource


@dataclass(frozen=True)
class Edit(Generic[Document]):
    """A document after its changes; and of each change, in their order, its failure and whether it waits to be saved.

    `content` is the file with the document, None where nothing changes.
    """

    document: Document
    content: bytes | None
    errors: tuple[ErrorBody | None, ...]
    pending: tuple[bool, ...]


class FileTarget(ABC, Generic[Document]):
    """Writes into files under `roots`, one writer per file at a time; `takes` is the kind of source it is for."""

    takes: type[FileSource]

    def __init__(self, roots: Sequence[Path], locks: SourceLocks, backups: Backups | None = None) -> None:
        """With `backups`, a file is copied before a job's first write to it."""
        self._roots = tuple(roots)
        self._locks = locks
        self._backups = backups
        self._parsed: _ParsedFiles[Document] = _ParsedFiles(_REMEMBERED_BYTES)
        self._tidied: set[Path] = set()

    @abstractmethod
    def _parse(self, raw: bytes, source: FileSource) -> Document:
        """The document in a file's bytes. Raises TallyError."""

    @abstractmethod
    def _edit(self, document: Document, changes: Sequence[RowChange], source: FileSource) -> Edit[Document]:
        """Bring `changes` into `document`, in their order."""

    @abstractmethod
    def _contents(self, document: Document) -> Contents:
        """What a document says."""

    @abstractmethod
    def _weight(self, document: Document) -> int:
        """About how many bytes a document takes beside its file's."""

    def contents(self, raw: bytes, source: FileSource) -> Contents:
        """What a file's bytes say. Raises TallyError as reading does."""
        return self._contents(self._parse(raw, source))

    def _file(self, path: Path) -> Path:
        """The file to write to for the source at `path`."""
        return path

    def _label(self, source: FileSource) -> str:
        """What the file to write to is called in errors."""
        return source.path

    def apply(self, source: Source, changes: Sequence[RowChange]) -> list[RowWritten]:
        """Write `changes` into the file (see Target.apply).

        Each failure is E-4010, E-4011, E-4012, E-4023 or E-1006.
        """
        if not isinstance(source, self.takes):
            raise TypeError(f"{type(self).__name__} takes no source of kind {source.kind}")
        return apply_newest(changes, lambda newest: self._write(source, newest))

    def _write(self, source: FileSource, changes: Sequence[RowChange]) -> Sequence[ErrorBody | None]:
        """Each change's failure, None where its row says what it should."""
        try:
            origin = resolve_within(source.path, self._roots)
            path = self._file(origin)
            with self._locks.hold_file(path):
                return self._write_locked(path, origin, source, changes)
        except TallyError as error:
            failure = error.body if error.kind is OUTSIDE_ROOTS else _failure(self._label(source), error)
        except TimeoutError:
            # Another writer holds the lock, frozen perhaps: the commands stay where they are and come again.
            raise
        except OSError as error:
            failure = _failure(self._label(source), error)
        return [failure] * len(changes)

    def _write_locked(
        self, path: Path, origin: Path, source: FileSource, changes: Sequence[RowChange]
    ) -> Sequence[ErrorBody | None]:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # nosec B311  # noqa: S311 - jitter is no secret
            with suppress(FileChangedError):
                raw, version = self._read(path)
                document = self._parsed.get(path, source, raw) or self._parse(raw, source)
                edited = self._edit(document, changes, source)
                content = raw if edited.content is None else edited.content
                try:
                    if content != raw:
                        self._back_up(path, raw, source, changes, edited)
                        self._save(path, origin, content, version)
                except (OSError, TallyError) as error:
                    failure = error.body if isinstance(error, TallyError) else _failure(self._label(source), error)
                    return [failure if waits else why for why, waits in zip(edited.errors, edited.pending, strict=True)]
                self._parsed.remember(path, source, content, edited.document, self._weight(edited.document))
                return edited.errors
        return [_failure(self._label(source), TimeoutError("it keeps changing while it is written"))] * len(changes)

    def _read(self, path: Path) -> tuple[bytes, FileVersion | None]:
        """The file's bytes and version; None for a file that is yet to be made."""
        return read_file(path)

    def _back_up(
        self, path: Path, raw: bytes, source: FileSource, changes: Sequence[RowChange], edited: Edit[Document]
    ) -> None:
        """Copy the file for the jobs that are about to write to it for the first time. Raises E-4023."""
        if self._backups is not None:
            writing = [change.job_id for change, waits in zip(changes, edited.pending, strict=True) if waits]
            self._backups.take(path, raw, writing, self._label(source))

    def _save(self, path: Path, origin: Path, content: bytes, version: FileVersion | None) -> None:
        if path.parent not in self._tidied:
            remove_leftovers(path.parent)
            self._tidied.add(path.parent)
        if version is None:
            create_file(path, content, like=origin)
        else:
            replace_file(path, content, version)


AnyFileTarget = FileTarget[Any]


class _ParsedFiles(Generic[Document]):
    """The files parsed last, so that the next flush need not parse its own work; told apart by their whole content."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._files: OrderedDict[Path, tuple[Source, bytes, Document, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, source: Source, raw: bytes) -> Document | None:
        """The document in `raw`, if that is what the file held last."""
        with self._lock:
            known = self._files.get(path)
        return known[2] if known is not None and known[:2] == (source, raw) else None

    def remember(self, path: Path, source: Source, raw: bytes, document: Document, weight: int) -> None:
        """Keep the document in `raw`, which takes `weight` bytes besides, and forget the ones used longest ago."""
        with self._lock:
            self._files[path] = source, raw, document, len(raw) + weight
            self._files.move_to_end(path)
            while sum(each[3] for each in self._files.values()) > self._most_bytes:
                self._files.popitem(last=False)


def _failure(label: str, error: OSError | TallyError) -> ErrorBody:
    reason = error.body.message.rstrip(".") if isinstance(error, TallyError) else reason_of(error)
    return TallyError(WRITE_FAILED, path=label, reason=reason).body
