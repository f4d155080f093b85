"""What becomes of a CSV document when tracking numbers go into it: decided here, without touching any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.writeback.targets.comparison import Contents
from services.writeback.targets.csv_document import CsvDocument
from services.writeback.targets.file_target import Edit
from services.writeback.targets.tracking import decide
from shared.sources.changes import RowChange
from shared.sources.csv_records import CsvGrammar, is_separator_line, line_end
from shared.sources.header import Header
from shared.sources.rows import TRACKING_COLUMNS


def edit(document: CsvDocument, changes: Sequence[RowChange], label: str) -> Edit[CsvDocument]:
    """Bring `changes` into `document`, in their order."""

    def refusal(text: str) -> str | None:
        if not _fits(document, text):
            return "the tracking number has characters that its encoding lacks"
        if not document.dialect.quote and _needs_quotes(document, text):
            return "the tracking number has characters that only a quoted field can hold"
        return None

    decided = decide(document.finder, lambda index: _tracking_texts(document, index), changes, label, refusal)
    if not decided.texts:
        return Edit(document, None, decided.errors, decided.pending)
    rewritten = _rewritten(document, {document.rows[index]: texts for index, texts in decided.texts.items()})
    return Edit(rewritten, rewritten.encode(), decided.errors, decided.pending)


def contents(document: CsvDocument) -> Contents:
    """What a document says."""
    checksums = document.finder.checksums()
    numbers = [
        "" if checksum is None else _tracking_texts(document, index).get(TRACKING_COLUMNS[0], "").strip()
        for index, checksum in enumerate(checksums)
    ]
    return Contents(list(zip(checksums, numbers, strict=True)))


def _tracking_texts(document: CsvDocument, index: int) -> dict[str, str]:
    record = document.grammar.values(document.records[document.rows[index]])
    return {
        column: record[position] if position < len(record) else ""
        for column, position in document.header.tracking.items()
    }


def _fits(document: CsvDocument, text: str) -> bool:
    try:
        document.dialect.encoding.encode(text)
    except UnicodeEncodeError:
        return False
    return True


def _rewritten(document: CsvDocument, texts: Mapping[int, Mapping[str, str]]) -> CsvDocument:
    """The document with `texts` in its tracking columns, of which the missing ones among them are added."""
    csv, header = document.grammar, document.header
    used = {column for columns in texts.values() for column in columns}
    missing = [column for column in header.missing if column in used]
    at, blanks = header.insertion, [_field(document, "")] * len(missing)
    records = list(document.records)
    if missing:
        names = [_quoted(document, name) if document.dialect.quoted_names else name for name in missing]
        start = 1 if is_separator_line(records[0]) else 0
        records[start:] = [_widened(csv, record, at, blanks) for record in records[start:]]
        records[document.header_at] = _widened(csv, document.records[document.header_at], at, names)
        header = Header((*header.names[:at], *missing, *header.names[at:]))
    for index, columns in texts.items():
        ending = line_end(records[index])
        fields = csv.fields(document.records[index])
        if missing:
            fields += [_field(document, "")] * (at - len(fields))
            fields[at:at] = blanks
        for column, text in columns.items():
            position = header.tracking[column]
            fields += [_field(document, "")] * (position + 1 - len(fields))
            fields[position] = _field(document, text, instead_of=fields[position])
        records[index] = csv.delimiter.join(fields) + ending
    return replace(document, header=header, records=tuple(records))


def _widened(csv: CsvGrammar, record: str, at: int, added: Sequence[str]) -> str:
    """A record with further fields from position `at` on; one that ends before stays as it is, as do blank lines."""
    width = csv.width(record)
    if width < at or csv.is_blank_line(record):
        return record
    ending = line_end(record)
    body = record[: len(record) - len(ending)]
    if width == at:
        return csv.delimiter.join((body, *added)) + ending
    fields = csv.fields(record)
    return csv.delimiter.join((*fields[:at], *added, *fields[at:])) + ending


def _field(document: CsvDocument, text: str, instead_of: str = "") -> str:
    """A field that says `text`, in quotes where the one before it or the rest of the file has them."""
    csv, dialect = document.grammar, document.dialect
    usual = dialect.quoted_values if text else dialect.quoted_blanks
    needed = _needs_quotes(document, text)
    return _quoted(document, text) if usual or needed or instead_of.startswith(csv.quote) else text


def _needs_quotes(document: CsvDocument, text: str) -> bool:
    csv = document.grammar
    return any(char in text for char in (csv.delimiter, csv.quote, "\r", "\n"))


def _quoted(document: CsvDocument, text: str) -> str:
    quote = document.dialect.quote
    return quote + text.replace(quote, quote * 2) + quote
