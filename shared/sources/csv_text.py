"""How a CSV file is written: delimiter, quote, line end and habits of quoting, told from its text or named.

Reading and writing back ask the same functions, so both see the same fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.sources.csv_records import BLANK, NO_QUOTE, CsvGrammar, grammar, is_separator_line, line_end
from shared.sources.text_encoding import SAMPLE, TextEncoding

DELIMITERS = (",", ";", "\t", "|")
QUOTES = ('"', "'", "")

_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space", ":": "colon"}
_QUOTE_NAMES = {'"': "double quote", "'": "single quote", "": "none"}
_LINE_END_NAMES = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written, as far as reading it and adding to it need to know; `quote` is '' where none counts.

    `quoted_names`, `quoted_values` and `quoted_blanks` tell what the file puts in quotes without need: its header's
    names, every text that is no number, and empty fields.
    """

    encoding: TextEncoding
    delimiter: str
    quote: str
    line_end: str
    quoted_names: bool
    quoted_values: bool
    quoted_blanks: bool

    @property
    def grammar(self) -> CsvGrammar:
        """How its text is cut into records and fields."""
        return grammar(self.delimiter, self.quote)

    @property
    def titles(self) -> dict[str, str]:
        """What a person is told of it, by name."""
        return {
            "encoding": self.encoding.title,
            "delimiter": _DELIMITER_NAMES.get(self.delimiter, self.delimiter),
            "quote": _QUOTE_NAMES.get(self.quote, self.quote),
            "line_end": _LINE_END_NAMES[self.line_end],
        }


def detect_dialect(
    sample: str, encoding: TextEncoding, delimiter: str | None = None, quote: str | None = None
) -> CsvDialect:
    """The dialect of a file from the beginning of its text (SAMPLE characters, or all of it), where it is not given."""
    csv = _best_grammar(sample, delimiter or _separator(sample), quote)
    header, rows = _sampled(sample, csv)
    values = [field for row in rows for field in csv.fields(row)]
    texts = [field for field in values if field.strip(BLANK) and not _NUMBER.fullmatch(field)]
    quoted_values = bool(texts) and all(field.startswith(csv.quote) for field in texts)
    names = [field for field in csv.fields(header) if field]
    return CsvDialect(
        encoding=encoding,
        delimiter=csv.delimiter,
        quote=csv.quote.strip(NO_QUOTE),
        line_end=line_end(header) or "\n",
        quoted_names=bool(names) and all(field.startswith(csv.quote) for field in names),
        quoted_values=quoted_values,
        quoted_blanks=quoted_values and all(values),
    )


_NUMBER = re.compile(r"[-+]?[\d.,]+")


def _best_grammar(sample: str, delimiter: str | None, quote: str | None) -> CsvGrammar:
    delimiters = DELIMITERS if delimiter is None else (delimiter,)
    quotes = QUOTES if quote is None else (quote,)
    candidates = [grammar(one, other) for other in quotes for one in delimiters if one != other]
    # The first of several that explain a sample equally well counts: the double quote, unless another one does better.
    return max(
        (csv for csv in candidates if quote is not None or csv.quote == '"' or _may_count(sample, csv)),
        key=lambda csv: _fit(sample, csv),
    )


def _may_count(sample: str, csv: CsvGrammar) -> bool:
    """Whether a sample may use this quote instead of the usual one: it has fields in it, and none in that.

    None at all may count between tabs, where many programs quote nothing: a quote there is part of a text. That is so
    where the usual one makes no sense of the sample and no field is whole within it.
    """
    usual = grammar(csv.delimiter)
    header, rows = _sampled(sample, usual)
    if csv.quote == NO_QUOTE:
        return (
            csv.delimiter == "\t"
            and not all(usual.is_readable(record) for record in (header, *rows))
            and not any(_is_whole(field, usual.quote) for record in (header, *rows) for field in csv.fields(record))
        )
    header, rows = _sampled(sample, csv)
    fields = [field for record in (header, *rows) for field in csv.fields(record)]
    return any(_is_whole(field, csv.quote) for field in fields) and not any(
        field.startswith(usual.quote) for field in fields
    )


def _is_whole(field: str, quote: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == quote


def _separator(sample: str) -> str | None:
    """The delimiter that a file's own first line names, as spreadsheets write it: ``sep=;``."""
    first = re.match(r"[^\r\n]*(?:\r\n|\r|\n)?", sample)
    if first is None or not is_separator_line(first[0]):
        return None
    return first[0].strip("\r\n").strip('"')[-1]


def _fit(sample: str, csv: CsvGrammar) -> tuple[float, int]:
    """How well a grammar explains a sample: many columns, in as many records as possible, no quote out of place."""
    header, rows = _sampled(sample, csv)
    width = csv.width(header)
    explained = sum(csv.width(record) == width and csv.is_clean(record) for record in (header, *rows))
    return explained / (1 + len(rows)) * (width - 1), width


def _sampled(sample: str, csv: CsvGrammar) -> tuple[str, Sequence[str]]:
    cut = csv.cut(sample)
    lines = cut[1:] if cut and is_separator_line(cut[0]) else cut
    records = [record for record in lines if not csv.is_blank(record)]
    if len(sample) >= SAMPLE and len(records) > 1:
        records.pop()  # it may be cut off
    return (records[0], records[1:]) if records else ("", [])
