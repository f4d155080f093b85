"""What a CSV file is made of: encoding, delimiter, line end and quoting, told from its content alone.

Reading and writing back ask the same functions, so both see the same text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.errors import NOT_CSV, SOURCE_EMPTY, TallyError
from shared.sources.csv_records import BLANK, CsvGrammar, grammar, line_end

CHUNK = 1 << 20  # bytes looked at at a time
SAMPLE = 1 << 14  # bytes or characters looked at to tell delimiter, quoting and single-byte encodings
DELIMITERS = (",", ";", "\t", "|")

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NOT_TEXT = (
    (b"PK\x03\x04", "it is a workbook or another zip archive"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook"),
    (b"%PDF", "it is a PDF document"),
    (b"PAR1", "it is a Parquet file"),
    (b"SQLite format 3\x00", "it is a SQLite database"),
    (b"\x1f\x8b", "it is compressed"),
    (b"<?xml", "it is an XML document"),
    (b"<!doctype", "it is an HTML document"),
    (b"<html", "it is an HTML document"),
    (b"<table", "it is an HTML document"),
    (b'{"', "it is a JSON document"),
    (b"[{", "it is a JSON document"),
)


@dataclass(frozen=True)
class TextEncoding:
    """How a file's bytes are text: Python's name of the codec, and the byte order mark before the text, if any."""

    codec: str
    bom: bytes = b""

    def decode(self, raw: bytes) -> str:
        """The whole text of a file. What `detect_encoding` found decodes, and encodes to the same bytes again."""
        return raw[len(self.bom) :].decode(self.codec)

    def decode_chunks(self, chunks: Iterable[bytes]) -> Iterator[str]:
        """The text of a file that comes in chunks."""
        decoder = codecs.getincrementaldecoder(self.codec)()
        skip = len(self.bom)
        for chunk in chunks:
            yield decoder.decode(chunk[skip:])
            skip = 0
        yield decoder.decode(b"", final=True)

    def encode(self, text: str) -> bytes:
        """The bytes of a file with this text."""
        return self.bom + text.encode(self.codec)


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written, as far as reading it and adding to it need to know.

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


class EncodingDetector:
    """Tells a file's encoding from its bytes, fed in chunks: UTF-8, UTF-16 with a mark, Windows-1252 or Latin-1."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._head = b""
        self._beyond_ascii = b""
        self._undefined_in_cp1252 = False
        self._marked: TextEncoding | None = None
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next CHUNK bytes; the last chunk may have fewer. Raises E-1005."""
        if not self._head:
            self._start(chunk)
        if self._decoder is not None:
            self._decode(chunk)
        elif b"\0" in chunk:
            raise self._refusal("it holds binary data")
        if not chunk.isascii() and self._marked is None:
            self._undefined_in_cp1252 |= _UNDEFINED_IN_CP1252.search(chunk) is not None
            if len(self._beyond_ascii) < SAMPLE:
                lines = b"".join(line for line in chunk.splitlines(keepends=True) if not line.isascii())
                self._beyond_ascii = (self._beyond_ascii + lines)[:SAMPLE]

    def finish(self) -> TextEncoding:
        """The encoding of what was fed. Raises E-1003 (nothing was fed) or E-1005 (no encoding fits)."""
        if not self._head:
            raise TallyError(SOURCE_EMPTY, path=self._label, what="is empty")
        if self._decoder is not None:
            self._decode(b"", final=True)
        if self._decoder is not None:
            return self._marked or TextEncoding("utf-8")
        return self._single_byte()

    def _start(self, chunk: bytes) -> None:
        self._head = chunk[:SAMPLE]
        start = chunk[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
        for magic, reason in _NOT_TEXT:
            if start.startswith(magic.lower()):
                raise self._refusal(reason)
        self._marked = next((TextEncoding(codec, bom) for bom, codec in _BOMS if chunk.startswith(bom)), None)
        self._decoder = codecs.getincrementaldecoder(self._marked.codec if self._marked else "utf-8")()

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        assert self._decoder is not None
        try:
            text = self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            if self._marked:
                raise self._refusal("its bytes are not the encoding its byte order mark names") from error
            text = chunk.decode("latin-1")
            self._decoder = None
        if "\0" in text:
            raise self._refusal("it holds binary data")

    def _single_byte(self) -> TextEncoding:
        """Windows-1252, or Latin-1 where the file has a byte that Windows-1252 leaves undefined."""
        from charset_normalizer import from_bytes

        lines = self._beyond_ascii.splitlines()
        if sum(_is_utf8(line) for line in lines) * 2 > len(lines):
            raise self._refusal("it is UTF-8 in most lines and not in others")
        # Any bytes decode as a single-byte encoding; those of another alphabet come out as gibberish and are refused.
        text = self._head + (self._beyond_ascii if self._head.isascii() else b"")
        if from_bytes(text, cp_isolation=["cp1252", "latin_1"], threshold=_GIBBERISH).best() is None:
            raise self._refusal("its text is neither UTF-8 nor UTF-16 nor Windows-1252")
        return TextEncoding("latin-1" if self._undefined_in_cp1252 else "cp1252")

    def _refusal(self, reason: str) -> TallyError:
        return TallyError(NOT_CSV, path=self._label, reason=reason)


# charset-normalizer's measure of disorder: Cyrillic or Hebrew read as Windows-1252 scores 0.5 and more; its own limit
# of 0.2 also refuses short files with a few typographic marks.
_GIBBERISH = 0.45
_UNDEFINED_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def detect_encoding(raw: bytes, label: str) -> TextEncoding:
    """The encoding of a whole file. Raises E-1003 (empty) or E-1005 (no text, or in no encoding known)."""
    detector = EncodingDetector(label)
    for start in range(0, len(raw), CHUNK):
        detector.feed(raw[start : start + CHUNK])
    return detector.finish()


def detect_dialect(sample: str, encoding: TextEncoding) -> CsvDialect:
    """The dialect of a file from the beginning of its text (SAMPLE characters, or all of it)."""
    delimiter = max(DELIMITERS, key=lambda candidate: _fit(sample, grammar(candidate)))
    csv = grammar(delimiter)
    header, rows = _sampled(sample, csv)
    values = [field for row in rows for field in csv.fields(row)]
    texts = [field for field in values if field.strip(BLANK) and not _NUMBER.fullmatch(field)]
    quoted_values = bool(texts) and all(field.startswith(csv.quote) for field in texts)
    names = [field for field in csv.fields(header) if field]
    return CsvDialect(
        encoding=encoding,
        delimiter=delimiter,
        quote=csv.quote,
        line_end=line_end(header) or "\n",
        quoted_names=bool(names) and all(field.startswith(csv.quote) for field in names),
        quoted_values=quoted_values,
        quoted_blanks=quoted_values and all(values),
    )


_NUMBER = re.compile(r"[-+]?[\d.,]+")


def _fit(sample: str, csv: CsvGrammar) -> tuple[float, int]:
    """How well a grammar explains a sample: many columns, in as many records as possible, no quote out of place."""
    header, rows = _sampled(sample, csv)
    width = csv.width(header)
    explained = sum(csv.width(record) == width and csv.is_clean(record) for record in (header, *rows))
    return explained / (1 + len(rows)) * (width - 1), width


def _sampled(sample: str, csv: CsvGrammar) -> tuple[str, list[str]]:
    records = [record for record in csv.cut(sample) if not csv.is_blank(record)]
    if len(sample) >= SAMPLE and len(records) > 1:
        records.pop()  # it may be cut off
    return (records[0], records[1:]) if records else ("", [])
