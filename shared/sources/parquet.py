"""A Parquet file as a snapshot, read by DuckDB, every column as text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import duckdb

from shared.errors import NOT_PARQUET, PARQUET_TOO_LARGE, SOURCE_EMPTY, SOURCE_UNREADABLE, TallyError
from shared.sources.condition_sql import quote_identifier, quote_text
from shared.sources.csv_records import MAX_RECORD
from shared.sources.files import open_real, settled_version, unreadable
from shared.sources.header import Header, read_header
from shared.sources.rows_folder import RowsFolder
from shared.sources.snapshot_table import Load, TableSnapshot
from shared.sources.spool import NUMBER, SURPLUS

_MAGIC = b"PAR1"

# A value that repeats is in the file once, so a small one may hold more text than any disk.
_BOMB_SIZE, _BOMB_RATIO = 1 << 30, 300  # characters; to a byte of the file
_MEMORY = "512MB"  # for looking at a file; far above what orders take


def open_parquet(path: Path, *, label: str | None = None) -> TableSnapshot:
    """A snapshot of the Parquet file at `path`, called `label` in errors; to be closed. A row's key is its number.

    Dates and times become ISO 8601, whole numbers have no point, what is null is ''. Raises E-1002, E-1003, E-1004,
    E-1026 (it is no Parquet file) or E-1027 (a row in it, or all of them, has more text than orders have).
    """
    label = label or str(path)
    try:
        with open_real(path) as file:
            settled_version(file, label)
            return _opened(path, file, label)
    except OSError as error:
        raise unreadable(label, error) from error


def _opened(path: Path, file: BinaryIO, label: str) -> TableSnapshot:
    folder = RowsFolder(label)
    try:
        version = _version(path, label)
        # By a name of its own: in a path DuckDB takes brackets and stars for a pattern.
        link = folder.path / "orders.parquet"
        link.symlink_to(_by_descriptor(file) or path)
        header, kinds = _described(link, label)
        _expect_bearable(link, header, kinds, version[1], label)
    except BaseException:
        folder.cleanup()
        raise
    snapshot = TableSnapshot(label, header.columns, _loading(link, header, kinds), folder)
    try:
        _check(snapshot, path, version)
    except BaseException:
        snapshot.close()
        raise
    return snapshot


def _check(snapshot: TableSnapshot, path: Path, version: tuple[int, int, int]) -> None:
    """Have the file taken in. Raises E-1002 or E-1003."""
    if snapshot.count() == 0:
        raise TallyError(SOURCE_EMPTY, path=snapshot.label, what="has columns but no rows")
    if _version(path, snapshot.label) != version:
        raise TallyError(SOURCE_UNREADABLE, path=snapshot.label, reason="it changed while it was read")


def _by_descriptor(file: BinaryIO) -> Path | None:
    """A path of the file that is open, whatever its own leads to by now; None where the system has no such paths."""
    path = Path("/proc/self/fd", str(file.fileno()))
    return path if path.exists() else None


def _version(path: Path, label: str) -> tuple[int, int, int]:
    """What tells one state of the file from others. Raises E-1002 or E-1026."""
    try:
        with open_real(path) as file:
            magic, state = file.read(len(_MAGIC)), os.fstat(file.fileno())
    except OSError as error:
        raise unreadable(label, error) from error
    if magic != _MAGIC:
        raise TallyError(NOT_PARQUET, path=label, reason="it does not begin as one")
    return state.st_ino, state.st_size, state.st_mtime_ns


def _described(link: Path, label: str) -> tuple[Header, list[str]]:
    """The columns of a file and DuckDB's types of them."""
    try:
        with _looking() as connection:
            found = connection.execute(f"DESCRIBE SELECT * FROM {_read(link)}").fetchall()  # nosec B608  # noqa: S608 - a path quoted
    except duckdb.Error as error:
        raise TallyError(NOT_PARQUET, path=label, reason="it is damaged or encrypted") from error
    return read_header([row[0] for row in found], label), [row[1] for row in found]


def _looking() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1, "memory_limit": _MEMORY, "temp_directory": ""})


def _expect_bearable(link: Path, header: Header, kinds: list[str], size: int, label: str) -> None:
    """Raise E-1027 for rows that are larger than orders are, E-1026 for pages that cannot be read."""
    row = " + ".join(f"length({_text_at(at, header, kinds)})" for at in header.positions) or "0"
    query = f"SELECT max(n), sum(n) FROM (SELECT {row} AS n FROM {_read(link)})"  # nosec B608  # noqa: S608 - names and path quoted
    reason = f"a row in it has more than {MAX_RECORD} characters"
    try:
        with _looking() as connection:
            ((longest, total),) = connection.execute(query).fetchall()
    except duckdb.OutOfMemoryException as error:
        raise TallyError(PARQUET_TOO_LARGE, path=label, reason=reason) from error
    except duckdb.Error as error:
        raise TallyError(NOT_PARQUET, path=label, reason="it is damaged or encrypted") from error
    if (longest or 0) > MAX_RECORD:
        raise TallyError(PARQUET_TOO_LARGE, path=label, reason=reason)
    if (total or 0) > max(_BOMB_SIZE, _BOMB_RATIO * size):
        reason = f"it unpacks to {_BOMB_RATIO} times its size, which no file of orders does"
        raise TallyError(PARQUET_TOO_LARGE, path=label, reason=reason)


def _text_at(at: int, header: Header, kinds: list[str]) -> str:
    return f"coalesce({_text(quote_identifier(header.names[at]), kinds[at])}, '')"


def _loading(link: Path, header: Header, kinds: list[str]) -> Load:
    texts = ", ".join(
        f"{_text_at(at, header, kinds)} AS {quote_identifier(header.names[at])}" for at in header.positions
    )
    number = f"row_number() OVER () AS {NUMBER}, 0 AS {SURPLUS}"
    query = f"SELECT {number}, {texts} FROM {_read(link)}"  # nosec B608  # noqa: S608 - names and path quoted

    def load(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"CREATE TABLE orders AS {query}")

    return load


def _read(link: Path) -> str:
    return f"read_parquet({quote_text(str(link))}, binary_as_string = true)"


def _text(column: str, kind: str) -> str:
    """The expression of a column's text."""
    text = f"CAST({column} AS VARCHAR)"
    if kind in {"DOUBLE", "FLOAT"}:
        whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        return f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE {text} END"
    return f"replace({text}, ' ', 'T')" if kind.startswith("TIMESTAMP") else text
