"""How a text file's bytes are text: told from its content, or named by whoever knows better.

Reading and writing back ask the same functions, so both see the same text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.errors import ENCODING_UNKNOWN, NOT_CSV, SOURCE_EMPTY, TallyError

CHUNK = 1 << 20  # bytes looked at at a time
SAMPLE = 1 << 14  # bytes or characters looked at to tell delimiter, quoting and single-byte encodings

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252",
    "iso8859-1": "Latin-1",
}
# A name that says whether there is a mark stands for its encoding: the file itself has the mark or has it not.
_MARKED_NAMES = {"utf-8-sig": "utf-8"}
_BY_MARK_ONLY = frozenset({"utf-16", "utf-32"})
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

    @property
    def title(self) -> str:
        """The encoding as a person calls it."""
        return _NAMES.get(self.codec, self.codec) + (" with byte order mark" if self.bom else "")

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


def encoding_of(chunks: Iterable[bytes], label: str, named: str | None = None) -> TextEncoding:
    """The encoding of a whole file that comes in chunks of CHUNK bytes: the one `named`, or what its bytes say.

    Raises E-1003 (nothing in it), E-1005 (no text, or not in that encoding) or E-1015 (`named` names none).
    """
    detector = EncodingDetector(label) if named is None else EncodingCheck(label, named)
    for chunk in chunks:
        detector.feed(chunk)
    return detector.finish()


def detect_encoding(raw: bytes, label: str, named: str | None = None) -> TextEncoding:
    """The encoding of a whole file (see encoding_of)."""
    return encoding_of((raw[start : start + CHUNK] for start in range(0, len(raw), CHUNK)), label, named)


def codec_name(named: str, label: str) -> str:
    """Python's name of the text codec that `named` names, such as ``cp1252`` for ``Windows-1252``. Raises E-1015."""
    name = named.strip().lower().replace("_", "-")
    try:
        # A codec that turns bytes into bytes, or text into text, is not one of these.
        "".encode(name)
        found = codecs.lookup(_MARKED_NAMES.get(name, name)).name
    except (LookupError, ValueError) as error:
        raise TallyError(ENCODING_UNKNOWN, encoding=named, path=label) from error
    return found


class EncodingCheck:
    """Holds a file to the encoding it is said to have: all of it decodes, and encodes to the same bytes again."""

    def __init__(self, label: str, named: str) -> None:
        self._label = label
        self._named = named
        self._codec = codec_name(named, label)
        self._encoding: TextEncoding | None = None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._undecoded = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk. Raises E-1005."""
        if self._encoding is None:
            _refuse_other_formats(chunk, self._label)
            self._encoding = self._marked(chunk)
            self._decoder = codecs.getincrementaldecoder(self._encoding.codec)()
            chunk = chunk[len(self._encoding.bom) :]
        self._take(chunk)

    def finish(self) -> TextEncoding:
        """The encoding. Raises E-1003 or E-1005."""
        if self._encoding is None:
            raise TallyError(SOURCE_EMPTY, path=self._label, what="is empty")
        self._take(b"", final=True)
        if self._undecoded:
            raise self._refusal
        return self._encoding

    def _marked(self, head: bytes) -> TextEncoding:
        found = next((TextEncoding(codec, bom) for bom, codec in _BOMS if head.startswith(bom)), None)
        if self._codec in _BY_MARK_ONLY:
            if found is None or found.codec not in {f"{self._codec}-le", f"{self._codec}-be"}:
                raise self._refusal
            return found
        return found if found is not None and found.codec == self._codec else TextEncoding(self._codec)

    def _take(self, chunk: bytes, *, final: bool = False) -> None:
        assert self._decoder is not None
        assert self._encoding is not None
        raw = self._undecoded + chunk
        try:
            text = self._decoder.decode(chunk, final=final)
            encoded = text.encode(self._encoding.codec)
        except UnicodeError as error:
            raise self._refusal from error
        if not raw.startswith(encoded):
            raise self._refusal
        self._undecoded = raw[len(encoded) :]
        if "\0" in text:
            raise TallyError(NOT_CSV, path=self._label, reason=_BINARY)

    @property
    def _refusal(self) -> TallyError:
        return TallyError(NOT_CSV, path=self._label, reason=f"its bytes are not {self._named} text")


class EncodingDetector:
    """Tells a file's encoding from its bytes, fed in chunks: UTF-8, UTF-16, Windows-1252 or Latin-1."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._head = b""
        self._beyond_ascii = b""
        self._undefined_in_cp1252 = False
        self._told: TextEncoding | None = None
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next CHUNK bytes; the last chunk may have fewer. Raises E-1005."""
        if not self._head:
            self._start(chunk)
        if self._decoder is not None:
            self._decode(chunk)
        elif b"\0" in chunk:
            raise self._refusal(_BINARY)
        if not chunk.isascii() and self._told is None:
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
            return self._told or TextEncoding("utf-8")
        return self._single_byte()

    def _start(self, chunk: bytes) -> None:
        self._head = chunk[:SAMPLE]
        _refuse_other_formats(chunk, self._label)
        marked = next((TextEncoding(codec, bom) for bom, codec in _BOMS if chunk.startswith(bom)), None)
        self._told = marked or _utf_16_without_mark(self._head)
        self._decoder = codecs.getincrementaldecoder(self._told.codec if self._told else "utf-8")()

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        assert self._decoder is not None
        try:
            text = self._decoder.decode(chunk, final=final)
        except UnicodeDecodeError as error:
            if self._told:
                raise self._refusal(f"its bytes are not {self._told.title}, as its beginning says") from error
            text = chunk.decode("latin-1")
            self._decoder = None
        if "\0" in text:
            raise self._refusal(_BINARY)

    def _single_byte(self) -> TextEncoding:
        """Windows-1252, or Latin-1 where the file has a byte that Windows-1252 leaves undefined."""
        from charset_normalizer import from_bytes

        lines = self._beyond_ascii.splitlines()
        if sum(_is_utf8(line) for line in lines) * 2 > len(lines):
            raise self._refusal("it is UTF-8 in most lines and not in others")
        # Any bytes decode as a single-byte encoding; those of another alphabet come out as gibberish and are refused.
        text = self._head + (self._beyond_ascii if self._head.isascii() else b"")
        is_western = from_bytes(text, cp_isolation=["cp1252", "latin_1"], threshold=_GIBBERISH).best() is not None
        if not is_western or _is_of_another_alphabet(self._beyond_ascii):
            raise self._refusal("its text is neither UTF-8 nor UTF-16 nor Windows-1252; name its encoding")
        return TextEncoding("iso8859-1" if self._undefined_in_cp1252 else "cp1252")

    def _refusal(self, reason: str) -> TallyError:
        return TallyError(NOT_CSV, path=self._label, reason=reason)


# charset-normalizer's measure of disorder: Cyrillic or Hebrew read as Windows-1252 scores 0.5 and more; its own limit
# of 0.2 also refuses short files with a few typographic marks.
_GIBBERISH = 0.45
_WORD = re.compile(r"[^\W\d_]{3,}")
_UNDEFINED_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_BINARY = "it holds binary data"
_MOSTLY = 0.8  # of the characters in a table of orders are of ASCII, as a rule all


def _refuse_other_formats(head: bytes, label: str) -> None:
    start = head[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for magic, reason in _NOT_TEXT:
        if start.startswith(magic.lower()):
            raise TallyError(NOT_CSV, path=label, reason=reason)


def _utf_16_without_mark(head: bytes) -> TextEncoding | None:
    """UTF-16 where every other byte is nearly always zero, and none of the others is, as in no other text."""
    first, second = head[::2], head[1::2]
    for codec, zeros, others in (("utf-16-le", second, first), ("utf-16-be", first, second)):
        if others and 0 not in others and zeros.count(0) >= _MOSTLY * len(zeros):
            return TextEncoding(codec)
    return None


def _is_of_another_alphabet(lines: bytes) -> bool:
    """Whether most words beyond ASCII, read as Windows-1252, have no letter of ASCII in them.

    Western words keep most of theirs. Names in Cyrillic, Greek or Hebrew have none, and are too few among the streets
    and cities of a file of orders for charset-normalizer, which measures all of it.
    """
    words = [word for word in _WORD.findall(lines.decode("cp1252", "replace")) if not word.isascii()]
    return 2 * sum(not any(map(str.isascii, word)) for word in words) > len(words)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
