"""CSV files made for tests: every part known, so that what is read can be told from what was meant."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from hypothesis import strategies as st

from shared.contracts.source import CsvSource

# What is told from the bytes alone, and what only a person can tell.
DETECTED = {
    "utf-8": ("utf-8", b""),
    "utf-8 with a mark": ("utf-8", codecs.BOM_UTF8),
    "utf-16-le": ("utf-16-le", codecs.BOM_UTF16_LE),
    "utf-16-be": ("utf-16-be", codecs.BOM_UTF16_BE),
    "windows-1252": ("cp1252", b""),
}
NAMED = {
    "latin-1": ("latin-1", b""),
    "windows-1250": ("cp1250", b""),
    "mac-roman": ("mac-roman", b""),
    "utf-16-le without a mark": ("utf-16-le", b""),
    "gb18030": ("gb18030", b""),
}
ENCODINGS = DETECTED | NAMED
_ALPHABETS = {
    "latin-1": st.characters(min_codepoint=1, max_codepoint=255),
    "windows-1250": st.sampled_from("Łódźčřž…€"),
    "mac-roman": st.sampled_from("éüß∑∆Ωπ"),
    "gb18030": st.sampled_from("东京北京ñ€"),
}
_ANY_CHARACTER = st.characters(codec="utf-8", exclude_characters="\0")
ORDINARY_NAMES = (
    "Ada Lovelace",
    "José Núñez",
    "Jürgen Groß",
    "Åsa Öberg",
    "O\u2019Brien",
    "Zoë \u2013 Café",
    "",
    "01002",
)


@dataclass(frozen=True)
class CsvFile:
    """A CSV file: its text in records, and what each record says; `rows` are the records that are data rows.

    Where it is `told`, its source names its dialect.
    """

    delimiter: str
    quote: str
    encoding: str
    told: bool
    header: tuple[str, ...]
    records: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def content(self) -> bytes:
        codec, bom = ENCODINGS[self.encoding]
        return bom + "".join(self.records).encode(codec)

    @property
    def source(self) -> CsvSource:
        if not self.told:
            return CsvSource(path="x")
        codec, _ = ENCODINGS[self.encoding]
        return CsvSource(path="x", delimiter=self.delimiter, quote=self.quote, encoding=codec)


def field(text: str, delimiter: str, quote: str, *, quoted: bool) -> str:
    if not quote:
        return text
    if quoted or text.startswith(quote) or any(char in text for char in (delimiter, "\r", "\n")):
        return quote + text.replace(quote, quote * 2) + quote
    return text


@st.composite
def csv_files(draw: st.DrawFn, *, tracking: bool = False) -> CsvFile:
    """Files of every dialect; `tracking` puts empty tracking columns into some of them."""
    told = draw(st.booleans())
    quote = draw(st.sampled_from(['"', "'", ""] if told else ['"']))
    # Where nothing is quoted, no field may hold the delimiter: times have colons.
    delimiter = draw(st.sampled_from((",;\t|^~" + (":" if quote else "")) if told else ",;\t|"))
    encoding = draw(st.sampled_from(sorted(ENCODINGS if told else DETECTED)))
    header = draw(headers(tracking=tracking))
    style = draw(st.sampled_from(["all", "some", "none"] if quote else ["none"]))
    endings = draw(
        st.sampled_from([st.just("\n"), st.just("\r\n"), st.just("\r"), st.sampled_from(["\n", "\r\n", "\r"])])
    )

    def record(texts: tuple[str, ...]) -> str:
        quoted = [style == "all" or (style == "some" and draw(st.booleans())) for _ in texts]
        fields = [field(text, delimiter, quote, quoted=mark) for text, mark in zip(texts, quoted, strict=True)]
        return delimiter.join(fields) + draw(endings)

    blanks = st.sampled_from(["", " ", delimiter, delimiter * 3])
    cells = cells_in(encoding)
    if not quote:
        cells = cells.map(lambda text: "".join(char for char in text if char not in {delimiter, "\r", "\n"}))
    drawn = draw(st.lists(rows_of(header, cells), min_size=1, max_size=6))
    rows = [texts for texts in drawn if any(text.strip(" \t\r\n") for text in texts)]
    records = [f"sep={delimiter}{draw(endings)}"] if draw(st.integers(0, 4)) == 0 else []
    records += [*[draw(endings) for _ in range(draw(st.integers(0, 2)))], record(header)]
    for texts in rows:
        records += [draw(blanks) + draw(endings)] if draw(st.integers(0, 4)) == 0 else []
        records.append(record(texts))
    last = records[-1].rstrip("\r\n")
    if draw(st.booleans()) and last and not (quote and last.endswith(quote)):
        records[-1] = last
    return CsvFile(delimiter, quote, encoding, told, header, tuple(_joined(records)), tuple(rows))


def cells_in(encoding: str) -> st.SearchStrategy[str]:
    """Texts that an encoding can write; where it is to be told from the bytes, ordinary ones."""
    if encoding == "windows-1252":
        return st.sampled_from(ORDINARY_NAMES)
    wild = _ALPHABETS.get(encoding, _ANY_CHARACTER)
    common = ",;\t|\"\r\n '#=" + ("" if encoding in _ALPHABETS else "é")
    return st.text(st.one_of(st.sampled_from(common), wild), max_size=8)


@st.composite
def headers(draw: st.DrawFn, *, tracking: bool) -> tuple[str, ...]:
    names = draw(
        st.lists(st.sampled_from(["name", "Zip code", "x y", "é", "weight"]), min_size=2, max_size=4, unique=True)
    )
    if tracking:
        names += draw(st.lists(st.sampled_from(["tracking_number", "Shipped_At"]), unique=True))
    trailing_delimiter = draw(st.booleans())
    return (*draw(st.permutations(names)), *([""] if trailing_delimiter else []))


@st.composite
def rows_of(draw: st.DrawFn, header: tuple[str, ...], cells: st.SearchStrategy[str]) -> tuple[str, ...]:
    """A row, sometimes too short or too long, with nothing in the tracking columns."""
    width = len(header) + draw(st.sampled_from([0, 0, 0, -1, 1]))
    return tuple(
        "" if name.lower() in {"tracking_number", "shipped_at"} else draw(cells)
        for name in (*header, "surplus")[:width]
    )


def _joined(records: list[str]) -> list[str]:
    """The records as they come out of the text: a lone CR and the LF of a blank line after it are one line end."""
    joined = [""]
    for record in records:
        if record == "\n" and joined[-1].endswith("\r"):
            joined[-1] += "\n"
        else:
            joined += [record]
    return joined[1:]
