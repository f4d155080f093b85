"""A CSV file as a snapshot: its text taken once into DuckDB, every column as text; conditions run there.

The records are cut by the grammar that writing back uses and handed to DuckDB in one canonical form, so DuckDB's own
sniffing has no say in what a row is. Memory stays flat: the file passes through in chunks, and DuckDB moves to disk
what exceeds its memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from shared.contracts.source import CsvSource
from shared.errors import NOT_CSV, SOURCE_EMPTY, TallyError
from shared.sources.csv_records import BLANK, CsvGrammar, MalformedRecordError, cut_records, is_separator_line
from shared.sources.csv_text import CsvDialect, detect_dialect
from shared.sources.files import TRIES, open_real, unreadable, unsteady, version_of
from shared.sources.header import Header, read_header
from shared.sources.snapshot_table import TableSnapshot, load_spooled, spool
from shared.sources.text_encoding import CHUNK, SAMPLE, encoding_of


class CsvSnapshot(TableSnapshot):
    """A CSV file as it was when it was opened. A row's key is its number, for a file has no other."""

    def __init__(self, label: str, dialect: CsvDialect, header: Header, records: Iterable[list[str]]) -> None:
        """Take in the texts of every record after the header. Raises E-1002, E-1003 or E-1005."""
        self.dialect = dialect
        folder = spool(label, _rows(header, records))
        super().__init__(label, header.columns, load_spooled(folder, header.columns), folder)
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
                version = version_of(file)
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
    records = _texts(chain([first], chunks), dialect.grammar, label)
    header = next(records, None)
    if header is None:
        raise TallyError(SOURCE_EMPTY, path=label, what="is empty")
    return CsvSnapshot(label, dialect, read_header(header, label), records)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _texts(chunks: Iterable[str], csv: CsvGrammar, label: str) -> Iterator[list[str]]:
    """The texts of every record that is not blank: the header's, then the data rows'. Raises E-1005."""
    try:
        for number, record in enumerate(chain.from_iterable(cut_records(chunks, csv)), start=1):
            if not csv.is_blank(record) and not (number == 1 and is_separator_line(record)):
                yield csv.values(record, number)
    except MalformedRecordError as error:
        raise TallyError(NOT_CSV, path=label, reason=str(error)) from error


def _rows(header: Header, records: Iterable[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Surplus and columns of every record."""
    width = len(header.names)
    all_named = len(header.columns) == width
    for texts in records:
        if all_named and len(texts) == width:
            yield 0, texts
            continue
        surplus = sum(1 for text in texts[width:] if text.strip(BLANK))
        row = texts[:width] + [""] * (width - len(texts))
        yield surplus, row if all_named else [row[index] for index in header.positions]
