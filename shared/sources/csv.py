"""A CSV file as a snapshot: its text taken once, every column as text.

The records are cut by the grammar that writing back uses and spooled in one canonical form, so DuckDB's own sniffing
has no say in what a row is. Memory stays flat: the file passes through in chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from shared.contracts.source import CsvSource
from shared.errors import NOT_CSV, SOURCE_EMPTY, TallyError
from shared.sources.csv_records import BLANK, CsvGrammar, MalformedRecordError, cut_records, is_separator_line
from shared.sources.csv_text import DELIMITERS, CsvDialect, detect_dialect
from shared.sources.files import TRIES, open_real, settled_version, unreadable, unsteady, version_of
from shared.sources.header import Header, read_header
from shared.sources.snapshot_table import SpooledSnapshot
from shared.sources.spool import DELIMITER, Spool, line_of, spool
from shared.sources.text_encoding import CHUNK, SAMPLE, encoding_of

# A file's records by their number, from 1.
_Records = Iterator[tuple[int, str]]


class CsvSnapshot(SpooledSnapshot):
    """A CSV file as it was when it was opened. A row's key is its number, for a file has no other."""

    def __init__(self, label: str, dialect: CsvDialect, header: Header, spooled: Spool) -> None:
        """Of the rows that were spooled; the spool's folder is the snapshot's from then on."""
        super().__init__(label, header.columns, spooled)
        self.dialect = dialect
        self.facts = dialect.titles

    def as_read(self, source: CsvSource) -> CsvSource:
        """`source` with the dialect it was read in, so that whoever reads it again need not detect it."""
        dialect = self.dialect
        found = {"delimiter": dialect.delimiter, "quote": dialect.quote, "encoding": dialect.encoding.codec}
        return source.model_copy(update=found)


def open_csv(path: Path, source: CsvSource | None = None) -> CsvSnapshot:
    """A snapshot of the CSV file at `path`; close it, or use it as a context manager.

    `source` says what it is called in errors and, as far as it does, how it is written. Raises E-1002 (the file cannot
    be read), E-1003 (nothing is in it), E-1004 (two columns have one name), E-1005 (it is no CSV file) or E-1015 (there
    is no such encoding).
    """
    source = source or CsvSource(path=str(path))
    label = source.path
    try:
        with open_real(path) as file:
            for _ in range(TRIES):
                version = settled_version(file, label)
                try:
                    snapshot = _take(file, source)
                except (TallyError, UnicodeDecodeError):
                    if version_of(file) == version:
                        raise
                    continue
                if version_of(file) == version:
                    return snapshot
                snapshot.close()
    except OSError as error:
        raise unreadable(label, error) from error
    raise unsteady(label)


def _take(file: BinaryIO, source: CsvSource) -> CsvSnapshot:
    label = source.path
    encoding = encoding_of(_chunks(file), label, source.encoding)
    chunks = encoding.decode_chunks(_chunks(file))
    first = next(chunks)
    dialect = detect_dialect(first[:SAMPLE], encoding, source.delimiter, source.quote)
    csv = dialect.grammar
    records = enumerate(chain.from_iterable(cut_records(chain([first], chunks), csv)), start=1)
    try:
        header = read_header(_header_texts(records, csv, label), label)
        # With its own delimiter a record can be spooled as it stands.
        delimiter = csv.delimiter if csv.delimiter in DELIMITERS else DELIMITER
        return CsvSnapshot(
            label, dialect, header, spool(label, _lines(records, csv, header, delimiter), delimiter=delimiter)
        )
    except MalformedRecordError as error:
        raise TallyError(NOT_CSV, path=label, reason=str(error)) from error


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _header_texts(records: _Records, csv: CsvGrammar, label: str) -> list[str]:
    """The texts of the first record that is not blank. Raises E-1003 or MalformedRecordError."""
    for number, record in records:
        if not csv.is_blank(record) and not (number == 1 and is_separator_line(record)):
            return csv.values(record, number)
    raise TallyError(SOURCE_EMPTY, path=label, what="is empty")


def _lines(records: _Records, csv: CsvGrammar, header: Header, delimiter: str) -> Iterator[str]:
    """Every record that is not blank as it is spooled. Raises MalformedRecordError."""
    width = len(header.names)
    stands = csv.canonical(width) if csv.delimiter == delimiter and len(header.columns) == width else None
    without_surplus = f"0{delimiter}"
    for number, record in records:
        if csv.is_blank(record):
            continue
        if stands is not None and stands(record):
            yield without_surplus + record.rstrip("\r\n") + "\n"
            continue
        texts = csv.values(record, number)
        surplus = sum(1 for text in texts[width:] if text.strip(BLANK))
        row = texts[:width] + [""] * (width - len(texts))
        yield line_of([row[index] for index in header.positions], surplus, delimiter)
