"""Reading orders from where people keep them: columns, rows, and what tells a row apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shared.contracts.source import CsvSource, DatabaseSource, Source, source_label
from shared.errors import NOT_WRITABLE, SOURCE_KIND_UNSUPPORTED, TallyError
from shared.sources.paths import resolve_within
from shared.sources.rows import TRACKING_COLUMNS, SourceRow, row_checksum
from shared.sources.snapshot import Snapshot

__all__ = [
    "TRACKING_COLUMNS",
    "Snapshot",
    "SourceRow",
    "check_writable",
    "open_source",
    "resolve_source",
    "row_checksum",
]


def resolve_source(source: Source, roots: Sequence[Path]) -> Source:
    """The same source named for good: a file by its real path. Raises E-1001, E-1002 or E-1006."""
    if isinstance(source, DatabaseSource):
        return source
    return source.model_copy(update={"path": str(resolve_within(source.path, roots))})


def check_writable(source: Source) -> None:
    """Raise E-1014 for a file that could not be replaced by one with tracking numbers."""
    if isinstance(source, CsvSource):
        path = Path(source.path)
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            raise TallyError(NOT_WRITABLE, path=source.path)


def open_source(source: Source, roots: Sequence[Path]) -> Snapshot:
    """A snapshot of `source`; blocks while it is read.

    Raises E-1001 to E-1006 for a file that cannot be read as what it is to be, E-1007 for a kind that is not supported.
    """
    match source:
        case CsvSource():
            # Imported here, since whoever only writes back needs no DuckDB.
            from shared.sources.csv import open_csv

            return open_csv(resolve_within(source.path, roots), label=source_label(source))
        case _:
            raise TallyError(SOURCE_KIND_UNSUPPORTED, kind=source.kind)
