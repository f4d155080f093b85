"""A CSV file as a snapshot: its text taken once into DuckDB, every column as text; conditions run there.

The records are cut by the grammar that writing back uses and handed to DuckDB in one canonical form, so DuckDB's own
sniffing has no say in what a row is. Memory stays flat: the file passes through in chunks, and DuckDB moves to disk
what exceeds its memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb

from shared.errors import NOT_CSV, SOURCE_EMPTY, SOURCE_UNREADABLE, WHERE_FAILED, TallyError
from shared.sources.condition import parse_condition
from shared.sources.condition_sql import quote_identifier, quote_text
from shared.sources.csv_header import CsvHeader, read_header
from shared.sources.csv_records import BLANK, MAX_RECORD, CsvGrammar, MalformedRecordError, cut_records
from shared.sources.csv_text import CHUNK, SAMPLE, CsvDialect, EncodingDetector, TextEncoding, detect_dialect
from shared.sources.rows import SourceRow, row_checksum

_FETCH = 1024  # rows fetched at a time
_TRIES = 3
_MEMORY = ("48MB", "1GB")  # enough for any number of usual rows; the second for rows of many kilobytes
_LINE = 4 * MAX_RECORD + (1 << 16)  # bytes of the longest record in canonical form
# Header names have no surrounding blanks: these clash with none, and no condition can name them.
_NUMBER, _SURPLUS = '" number"', '" surplus"'


class CsvSnapshot:
    """A CSV file as it was when it was opened. A row's key is its number, for a file has no other."""

    def __init__(self, label: str, dialect: CsvDialect, header: CsvHeader, records: Iterable[list[str]]) -> None:
        """Take in the texts of every record after the header. Raises E-1002, E-1003 or E-1005."""
        self.label = label
        self.dialect = dialect
        self.columns = header.columns
        self._folder = tempfile.TemporaryDirectory(prefix="tally-")
        canonical = Path(self._folder.name) / "orders.csv"
        try:
            _write_canonical(canonical, header, records, label)
            self._connection = self._load(canonical)
        except duckdb.Error as error:
            self._folder.cleanup()
            reason = f"DuckDB cannot take it in ({type(error).__name__})"
            raise TallyError(SOURCE_UNREADABLE, path=label, reason=reason) from error
        except BaseException:
            self._folder.cleanup()
            raise

    def count(self, where: str | None = None) -> int:
        """How many rows meet the condition. Raises E-1010, E-1011 or E-1012."""
        ((count,),) = self._select("count(*)", where)
        return int(count)

    def rows(self, where: str | None = None) -> Iterator[SourceRow]:
        """The rows that meet the condition, streamed in file order. Raises E-1010, E-1011 or E-1012."""
        for number, surplus, *texts in self._select("*", where):
            values = dict(zip(self.columns, texts, strict=True))
            yield SourceRow(number, str(number), values, row_checksum(values), surplus)

    def close(self) -> None:
        """Let go of it and of everything it keeps on disk."""
        self._connection.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, canonical: Path) -> duckdb.DuckDBPyConnection:
        small, large = _MEMORY
        try:
            return self._load_within(small, canonical)
        except duckdb.OutOfMemoryException:
            return self._load_within(large, canonical)

    def _load_within(self, memory: str, canonical: Path) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": memory,
                "temp_directory": str(canonical.parent / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        try:
            columns = ", ".join(f"{quote_identifier(name)} VARCHAR" for name in self.columns)
            connection.execute(f"CREATE TABLE orders ({_NUMBER} BIGINT, {_SURPLUS} INTEGER, {columns})")
            connection.execute(
                f"COPY orders FROM {quote_text(str(canonical))} (FORMAT csv, AUTO_DETECT false, HEADER false,"
                " DELIMITER ',', QUOTE '\"', ESCAPE '\"', NEW_LINE '\\n', ALLOW_QUOTED_NULLS false, PARALLEL false,"
                f" MAX_LINE_SIZE {_LINE}, BUFFER_SIZE {_LINE + (1 << 16)})"
            )
            canonical.unlink()
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except BaseException:
            connection.close()
            raise
        return connection

    def _select(self, what: str, where: str | None) -> Iterator[tuple[Any, ...]]:
        condition = "TRUE" if where is None else parse_condition(where, self.columns, label=self.label).sql
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(f"SELECT {what} FROM orders WHERE {condition}")  # noqa: S608 - parse_condition wrote it
                while batch := cursor.fetchmany(_FETCH):
                    yield from batch
            except duckdb.Error as error:
                raise TallyError(WHERE_FAILED, where=where, reason=_reason(error)) from error


def open_csv(path: Path, *, label: str | None = None) -> CsvSnapshot:
    """A snapshot of the CSV file at `path`, called `label` in errors; close it, or use it as a context manager.

    Raises E-1002 (the file cannot be read), E-1003 (nothing is in it), E-1004 (two columns have one name) or E-1005 (it
    is no CSV file).
    """
    label = label or str(path)
    try:
        with path.open("rb") as file:
            for _ in range(_TRIES):
                version = _version(file)
                try:
                    snapshot = _take(file, label)
                except (TallyError, UnicodeDecodeError):
                    if _version(file) == version:
                        raise
                    continue
                if _version(file) == version:
                    return snapshot
                snapshot.close()
    except OSError as error:
        raise TallyError(SOURCE_UNREADABLE, path=label, reason=error.strerror or "unreadable") from error
    raise TallyError(SOURCE_UNREADABLE, path=label, reason="it keeps changing while it is read")


def _version(file: BinaryIO) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def _take(file: BinaryIO, label: str) -> CsvSnapshot:
    encoding = _encoding(file, label)
    chunks = encoding.decode_chunks(_chunks(file))
    first = next(chunks)
    dialect = detect_dialect(first[:SAMPLE], encoding)
    records = _texts(chain([first], chunks), dialect.grammar, label)
    header = next(records, None)
    if header is None:
        raise TallyError(SOURCE_EMPTY, path=label, what="is empty")
    return CsvSnapshot(label, dialect, read_header(header, label), records)


def _encoding(file: BinaryIO, label: str) -> TextEncoding:
    detector = EncodingDetector(label)
    for chunk in _chunks(file):
        detector.feed(chunk)
    return detector.finish()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _texts(chunks: Iterable[str], csv: CsvGrammar, label: str) -> Iterator[list[str]]:
    """The texts of every record that is not blank: the header's, then the data rows'. Raises E-1005."""
    try:
        for number, record in enumerate(chain.from_iterable(cut_records(chunks, csv)), start=1):
            if not csv.is_blank(record):
                yield csv.values(record, number)
    except MalformedRecordError as error:
        raise TallyError(NOT_CSV, path=label, reason=str(error)) from error


def _write_canonical(path: Path, header: CsvHeader, records: Iterable[list[str]], label: str) -> None:
    """Write row number, surplus and columns of every record. Raises E-1003 where there is none."""
    width = len(header.names)
    all_named = len(header.columns) == width
    number = 0
    with path.open("w", encoding="utf-8", newline="") as canonical:
        for number, texts in enumerate(records, start=1):
            surplus = sum(1 for text in texts[width:] if text.strip(BLANK))
            row = texts[:width] + [""] * (width - len(texts))
            if not all_named:
                row = [row[index] for index in header.positions]
            # No text holds a NUL, so it stands for the delimiter while quotes are doubled.
            line = "\0".join(row).replace('"', '""').replace("\0", '","')
            canonical.write(f'{number},{surplus},"{line}"\n')
    if number == 0:
        raise TallyError(SOURCE_EMPTY, path=label, what="has a header line but no rows")


def _reason(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        # DuckDB's own words quote the value, which may be a recipient's.
        return "a value cannot be converted; TRY_CAST gives NULL for such a value"
    return str(error).splitlines()[0].partition(": ")[2] or "DuckDB refuses it"
