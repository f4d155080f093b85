"""Reading orders from where people keep them: columns, rows, and what tells a row apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.contracts.source import (
    CsvSource,
    DatabaseSource,
    ExcelSource,
    ParquetSource,
    Source,
    has_sidecar,
    sidecar_name,
    source_label,
)
from shared.errors import CONNECTION_UNKNOWN, NOT_WRITABLE, TallyError
from shared.sources.paths import resolve_within
from shared.sources.rows import TRACKING_COLUMNS, SourceRow, row_checksum
from shared.sources.snapshot import Snapshot

if TYPE_CHECKING:
    from shared.sources.database_connection import Connections

__all__ = [
    "TRACKING_COLUMNS",
    "Snapshot",
    "SourceRow",
    "as_read",
    "check_writable",
    "open_source",
    "resolve_source",
    "row_checksum",
]


def resolve_source(source: Source, roots: Sequence[Path], connections: Connections | None = None) -> Source:
    """The same source named for good: a file by its real path, a workbook's sheet and a table by their names.

    Raises E-1001, E-1002, E-1006 or, for a workbook, E-1020 to E-1022, for a table E-1004 or E-1040 to E-1047.
    """
    if isinstance(source, DatabaseSource):
        from shared.sources.database import resolve_table

        return resolve_table(source, _known(connections, source))
    path = resolve_within(source.path, roots)
    if isinstance(source, ExcelSource):
        from shared.sources.excel_orders import sheet_name

        return source.model_copy(update={"path": str(path), "sheet": sheet_name(path, source.sheet, str(path))})
    return source.model_copy(update={"path": str(path)})


def check_writable(source: Source, connections: Connections | None = None) -> None:
    """Raise E-1014, E-1045 or E-1046 where no tracking number could be written, E-1025 where it could harm a workbook.

    `source` is resolved. For a workbook or a table it raises what reading it does, too.
    """
    if isinstance(source, DatabaseSource):
        from shared.sources.database_check import check_table_writable

        check_table_writable(source, _known(connections, source))
        return
    path = Path(source.path)
    if has_sidecar(source):
        beside = path.with_name(sidecar_name(source.path))
        if not os.access(path.parent, os.W_OK) or (beside.exists() and not os.access(beside, os.W_OK)):
            raise TallyError(NOT_WRITABLE, path=str(beside))
        return
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise TallyError(NOT_WRITABLE, path=source.path)
    if isinstance(source, ExcelSource):
        from shared.sources.excel_orders import read_orders, read_workbook
        from shared.sources.excel_placement import place_tracking

        place_tracking(read_orders(read_workbook(path, source.path), source.sheet, source.path))


def open_source(source: Source, roots: Sequence[Path], connections: Connections | None = None) -> Snapshot:
    """A snapshot of `source`; blocks while it is read.

    Raises E-1001 to E-1006 and E-1020 to E-1026 for a file that cannot be read as what it is to be, E-1003, E-1004 or
    E-1040 to E-1047 for a table.
    """
    # Each is imported where it is needed, since whoever only writes back needs no DuckDB.
    match source:
        case CsvSource():
            from shared.sources.csv import open_csv

            return open_csv(resolve_within(source.path, roots), source)
        case ExcelSource():
            from shared.sources.excel import open_excel

            return open_excel(resolve_within(source.path, roots), source.sheet, label=source_label(source))
        case ParquetSource():
            from shared.sources.parquet import open_parquet

            return open_parquet(resolve_within(source.path, roots), label=source_label(source))
        case DatabaseSource():
            from shared.sources.database import open_table

            return open_table(source, _known(connections, source))


def as_read(source: Source, snapshot: Snapshot) -> Source:
    """`source` with how it was read in `snapshot`, so that writing back never takes it for anything else."""
    if isinstance(source, CsvSource):
        from shared.sources.csv import CsvSnapshot

        if isinstance(snapshot, CsvSnapshot):
            return snapshot.as_read(source)
    return source


def _known(connections: Connections | None, source: DatabaseSource) -> Connections:
    if connections is None:
        raise TallyError(CONNECTION_UNKNOWN, connection=source.connection, names="none")
    return connections
