"""What becomes of a CSV document when tracking numbers go into it: decided here, without touching any file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.writeback.targets.csv_document import CsvDocument
from services.writeback.targets.target import RowChange
from shared.errors import SOURCE_CHANGED, TRACKING_CONFLICT, WRITE_FAILED, ErrorBody, TallyError
from shared.sources.csv_records import BLANK, CsvGrammar, line_end
from shared.sources.header import Header
from shared.sources.rows import TRACKING_COLUMNS

_NUMBER, _SHIPPED_AT = TRACKING_COLUMNS


@dataclass(frozen=True)
class Edit:
    """A document after its changes; and of each change, in their order, its failure and whether it waits to be saved.

    The document is the same object where nothing changes.
    """

    document: CsvDocument
    errors: tuple[ErrorBody | None, ...]
    pending: tuple[bool, ...]


def edit(document: CsvDocument, changes: Sequence[RowChange], label: str) -> Edit:
    """Bring `changes` into `document`, in their order."""
    texts: dict[int, dict[str, str]] = {}
    places = [document.find(change.source_row, change.checksum) for change in changes]
    errors = tuple(
        _decide(document, index, change, texts, label) for index, change in zip(places, changes, strict=True)
    )
    pending = tuple(error is None and index in texts for index, error in zip(places, errors, strict=True))
    return Edit(_rewritten(document, texts) if texts else document, errors, pending)


def _decide(
    document: CsvDocument, index: int | None, change: RowChange, texts: dict[int, dict[str, str]], label: str
) -> ErrorBody | None:
    """Note in `texts` what the record at `index` is to say; or tell why it stays as it is."""
    number = change.values.tracking_number
    if index is None:
        shown = number or "(none)"
        return TallyError(SOURCE_CHANGED, row_number=change.source_row, path=label, tracking_number=shown).body
    present = _tracking_texts(document, index) | texts.get(index, {})
    standing = present.get(_NUMBER, "").strip(BLANK)
    if standing not in {"", number, *change.replaces}:
        return TallyError(TRACKING_CONFLICT, row_number=change.source_row, path=label).body
    if number is None:
        # A time without a number is nobody's to clear: a person took the number out and left it.
        wanted = {column: "" for column, text in present.items() if text} if standing else {}
    else:
        wanted = _filled(present, number, change.values.shipped_at)
    if not _fits(document, wanted):
        reason = "the tracking number has characters that its encoding lacks"
        return TallyError(WRITE_FAILED, path=label, reason=reason).body
    if wanted:
        texts.setdefault(index, {}).update(wanted)
    return None


def _filled(present: dict[str, str], number: str, shipped_at: datetime | None) -> dict[str, str]:
    """What is still to be written for `number`; the time stays as it is where the number is already there."""
    same = present.get(_NUMBER, "").strip(BLANK) == number
    wanted = {} if same else {_NUMBER: number}
    if shipped_at is not None and not (same and present.get(_SHIPPED_AT, "").strip(BLANK)):
        wanted[_SHIPPED_AT] = shipped_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return wanted


def _tracking_texts(document: CsvDocument, index: int) -> dict[str, str]:
    record = document.grammar.values(document.records[index])
    return {
        column: record[position] if position < len(record) else ""
        for column, position in document.header.tracking.items()
    }


def _fits(document: CsvDocument, wanted: dict[str, str]) -> bool:
    try:
        document.dialect.encoding.encode("".join(wanted.values()))
    except UnicodeEncodeError:
        return False
    return True


def _rewritten(document: CsvDocument, texts: dict[int, dict[str, str]]) -> CsvDocument:
    """The document with `texts` in its tracking columns, of which the missing ones among them are added."""
    csv, header = document.grammar, document.header
    used = {column for columns in texts.values() for column in columns}
    missing = [column for column in header.missing if column in used]
    at, blanks = header.insertion, [_field(document, "")] * len(missing)
    records = list(document.records)
    if missing:
        names = [_quoted(document, name) if document.dialect.quoted_names else name for name in missing]
        records = [_widened(csv, record, at, blanks) for record in records]
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
    needed = any(char in text for char in (csv.delimiter, csv.quote, "\r", "\n"))
    return _quoted(document, text) if usual or needed or instead_of.startswith(csv.quote) else text


def _quoted(document: CsvDocument, text: str) -> str:
    quote = document.dialect.quote
    return quote + text.replace(quote, quote * 2) + quote
