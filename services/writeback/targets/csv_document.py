"""A CSV file taken apart into its records, which joined are the file again, byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from services.writeback.targets.tracking import RowFinder
from shared.contracts.source import CsvSource
from shared.errors import NOT_CSV, SOURCE_EMPTY, TallyError
from shared.sources.csv_records import CsvGrammar, MalformedRecordError, cut_records, is_separator_line
from shared.sources.csv_text import CsvDialect, detect_dialect
from shared.sources.header import Header, read_header
from shared.sources.rows import row_checksum
from shared.sources.text_encoding import SAMPLE, detect_encoding


@dataclass(frozen=True)
class CsvDocument:
    """A parsed CSV file. `rows` holds the index in `records` of each data row, the first one at 0."""

    dialect: CsvDialect
    header: Header
    header_at: int
    records: tuple[str, ...]
    rows: tuple[int, ...]

    @property
    def grammar(self) -> CsvGrammar:
        """How its records are cut into fields."""
        return self.dialect.grammar

    def encode(self) -> bytes:
        """The file."""
        return self.dialect.encoding.encode("".join(self.records))

    @cached_property
    def finder(self) -> RowFinder:
        """Finds its data rows again, by their index in `rows`."""
        return RowFinder(len(self.rows), self._checksum)

    def _checksum(self, index: int) -> str | None:
        try:
            return row_checksum(self.header.values(self.grammar.values(self.records[self.rows[index]])))
        except MalformedRecordError:
            return None


def parse_document(raw: bytes, source: CsvSource) -> CsvDocument:
    """The document in a file's bytes, in the dialect that `source` names as far as it does.

    Raises E-1003, E-1004, E-1005 or E-1015 as reading does.
    """
    label = source.path
    encoding = detect_encoding(raw, label, source.encoding)
    text = encoding.decode(raw)
    dialect = detect_dialect(text[:SAMPLE], encoding, source.delimiter, source.quote)
    csv = dialect.grammar
    try:
        records = tuple(record for batch in cut_records([text], csv) for record in batch)
        start = 1 if records and is_separator_line(records[0]) else 0
        filled = [index for index in range(start, len(records)) if not csv.is_blank(records[index])]
        if not filled:
            raise TallyError(SOURCE_EMPTY, path=label, what="is empty")
        header = read_header(csv.values(records[filled[0]], filled[0] + 1), label)
    except MalformedRecordError as error:
        raise TallyError(NOT_CSV, path=label, reason=str(error)) from error
    return CsvDocument(dialect, header, filled[0], records, tuple(filled[1:]))
