"""How CSV text is cut into records and fields: the one truth for row numbers, when reading and when writing back.

The grammar is RFC 4180's, widened by what real files hold: any delimiter, CRLF, LF or CR as line end, fields missing or
surplus, blank lines, no final line end. A quote counts only at the start of a field. Two things are refused, for behind
them nobody can tell where a row ends: a quote that is never closed, and text after a closing quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from shared.sources import quantifiers

BLANK = " \t\r\n"
NO_QUOTE = "\0"
MAX_RECORD = 1 << 20  # characters; far above any order, and a bound on what an unclosed quote can swallow


class MalformedRecordError(ValueError):
    """Text that is no CSV record; the message says why, in words that follow a file's name."""


class CsvGrammar:
    """The compiled grammar of one delimiter and quote character; with quote '' nothing is ever quoted."""

    def __init__(self, delimiter: str, quote: str = '"') -> None:
        self.delimiter = delimiter
        # No text holds a NUL.
        self.quote = quote = quote or NO_QUOTE
        self._no_text = BLANK + delimiter + quote
        d, q = re.escape(delimiter), re.escape(quote)
        p = quantifiers.POSSESSIVE
        quoted = rf"{q}[^{q}]*{p}(?:{q}{q}[^{q}]*{p})*{p}{q}(?!{q})[^{d}\r\n]*{p}"
        field = rf"(?:{quoted}|(?!{q})[^{d}\r\n]*{p})"
        record = rf"{field}(?:{d}{field})*{p}"
        # What is left after the last whole record comes as one more piece, so that the pieces add up to the text.
        # A line without quotes is a record, whatever its fields are: the first branch only tells so sooner.
        self._records = re.compile(rf"(?:[^{q}\r\n]*{p}|{record})(?:\r\n|\r|\n)|[\s\S]+")
        self._whole = re.compile(rf"{record}(?:\r\n|\r|\n)?{p}")
        self._fields = re.compile(rf"{d}({quoted}|[^{d}\r\n]*{p})")

    def cut(self, text: str) -> list[str]:
        """The records of `text`, each with its line end; joined they are `text`. The last one may be incomplete."""
        return self._records.findall(text)

    def is_whole(self, record: str) -> bool:
        """Whether `record` is one record with every quote closed; its line end may be missing."""
        return self._whole.fullmatch(record) is not None

    def is_readable(self, record: str) -> bool:
        """Whether `record` is whole and no text follows a closing quote in it."""
        try:
            return self.is_whole(record) and bool(self.values(record))
        except MalformedRecordError:
            return False

    def fields(self, record: str) -> list[str]:
        """The fields of a record as they stand, quotes included; joined by the delimiter they are its body."""
        body = record.rstrip("\r\n") if self.quote not in record else record[: len(record) - len(line_end(record))]
        if self.quote not in body:
            return body.split(self.delimiter)
        found: list[str] = self._fields.findall(self.delimiter + body)
        return found

    def values(self, record: str, number: int = 0) -> list[str]:
        """The texts of a record's fields. Raises MalformedRecordError, naming record `number`: text after a quote."""
        if self.quote not in record:
            return self.fields(record)
        try:
            return [self.text(field) for field in self.fields(record)]
        except MalformedRecordError as error:
            raise MalformedRecordError(f"in record {number} {error}") from None

    def canonical(self, width: int) -> Callable[[str], bool]:
        """Tells of a record that is not blank whether it has `width` fields and is, but for its line end, RFC 4180's.

        One that is says the same to any reader of CSV; of one that is not this grammar alone tells what it says.
        """
        delimiter, quote, delimiters = self.delimiter, self.quote, width - 1
        d, p = re.escape(delimiter), quantifiers.POSSESSIVE
        field = rf"(?:\"[^\"]*{p}(?:\"\"[^\"]*{p})*{p}\"|[^\"{d}\r\n]*{p})"
        is_quoted = re.compile(rf"(?:{field}{d}){{{delimiters}}}{field}(?:\r\n|\r|\n)?{p}").fullmatch

        def is_canonical(record: str) -> bool:
            if '"' in record:
                return quote == '"' and is_quoted(record) is not None
            return quote not in record and record.count(delimiter) == delimiters

        return is_canonical

    def text(self, field: str) -> str:
        """What a field says: its content without quotes. Blanks between closing quote and delimiter are ignored."""
        if not field.startswith(self.quote):
            return field
        inner, _, rest = field[1:].rpartition(self.quote)
        if self.quote in inner:
            if self.quote in inner.replace(self.quote * 2, ""):
                raise MalformedRecordError("text follows a closing quote")
            inner = inner.replace(self.quote * 2, self.quote)
        if rest.strip(BLANK):
            raise MalformedRecordError("text follows a closing quote")
        return inner

    def width(self, record: str) -> int:
        """How many fields a record has."""
        return len(self.fields(record)) if self.quote in record else record.count(self.delimiter) + 1

    def is_clean(self, record: str) -> bool:
        """Whether quotes stand only around whole fields, as every program writes them."""
        quote = self.quote
        return quote not in record or all(
            field.startswith(quote) and field.endswith(quote) for field in self.fields(record) if quote in field
        )

    def is_blank(self, record: str) -> bool:
        """Whether a record is no row: nothing but blanks in every field."""
        if record[:1] not in self._no_text:
            return False
        rest = record.strip(BLANK + self.delimiter)
        if not rest or rest.strip(self._no_text):
            return not rest
        try:
            return not any(value.strip(BLANK) for value in self.values(record))
        except MalformedRecordError:
            return False

    def is_blank_line(self, record: str) -> bool:
        """Whether a record is a line without any delimiter or text."""
        return not record.strip(BLANK if self.delimiter != "\t" else " \r\n")


@lru_cache(maxsize=16)
def grammar(delimiter: str, quote: str = '"') -> CsvGrammar:
    """The grammar of a delimiter, compiled once."""
    return CsvGrammar(delimiter, quote)


_SEPARATOR_LINE = re.compile(r'"?sep=[^\w\r\n"]"?(?:\r\n|\r|\n)?', re.IGNORECASE)


def is_separator_line(record: str) -> bool:
    """Whether a file's first record only names its delimiter, for a spreadsheet to know: ``sep=;``."""
    return _SEPARATOR_LINE.fullmatch(record) is not None


def line_end(record: str) -> str:
    """The line end of a record; '' where the file ends without one."""
    if record.endswith("\r\n"):
        return "\r\n"
    return record[-1:] if record.endswith(("\n", "\r")) else ""


def cut_records(chunks: Iterable[str], csv: CsvGrammar) -> Iterator[list[str]]:
    """The whole records of a text that comes in chunks, in batches; joined they are the text.

    Raises MalformedRecordError for a quote that is never closed and for a record above MAX_RECORD characters.
    """
    rest, seen = "", 0
    for chunk in chunks:
        text = rest + chunk
        # A CR at the very end may be half of a CRLF: it waits for what follows.
        held = "\r" if text.endswith("\r") else ""
        *records, rest = csv.cut(text[: len(text) - len(held)]) or [""]
        if line_end(rest) and csv.is_whole(rest):
            records.append(rest)
            rest = ""
        rest += held
        _check_length([*records, rest], seen)
        seen += len(records)
        if records:
            yield records
    if rest:
        last = csv.cut(rest)
        if not csv.is_whole(last[-1]):
            raise MalformedRecordError(f"the quote opened in record {seen + len(last)} is never closed")
        yield last


def _check_length(records: list[str], seen: int) -> None:
    longest = max(range(len(records)), key=lambda index: len(records[index]))
    if len(records[longest]) > MAX_RECORD:
        raise MalformedRecordError(
            f"record {seen + longest + 1} has more than {MAX_RECORD} characters; a quote may be left open in it"
        )
