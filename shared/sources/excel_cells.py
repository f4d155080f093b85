"""A row of a sheet's XML, cut into its cells by their bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from shared.sources.excel_workbook import Area, column_number, parse_area
from shared.sources.quantifiers import POSSESSIVE

# Well-formed XML: a quoted attribute may hold > and /, nothing else in a tag may.
_TAG_REST = rb"[^>\"'/]*(?:(?:\"[^\"]*\"|'[^']*')[^>\"'/]*)*" + POSSESSIVE.encode()
NO_TAG = rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
_FIRST = re.compile(rb"\s+r=\"([A-Za-z]{1,3})([0-9]{1,7})\"")
_REFERENCE = re.compile(rb"([A-Za-z]{1,3})([0-9]{1,7})")


def tag_pattern(names: bytes) -> re.Pattern[bytes]:
    """Finds tags by their names, a regular expression, and whatever could hold what looks like one.

    Its groups are: the slash of an end tag, the name, the attributes as they stand, the slash of an empty element; all
    None for what is no tag.
    """
    return re.compile(rb"%s|<(/?)(%s)(?=[\s/>])(%s)(/?)>" % (NO_TAG, names, _TAG_REST), re.DOTALL)


def attributes_of(text: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """The attributes in a start tag: each as it stands with the blanks before it, its name, and its raw value."""
    return [
        (match[0], match[1], match[2][1:-1]) for match in re.finditer(rb"\s+([^\s=]+)\s*=\s*(\"[^\"]*\"|'[^']*')", text)
    ]


def attribute_of(text: bytes, name: bytes) -> bytes | None:
    """The raw value of one attribute in a start tag."""
    return next((value for _, known, value in attributes_of(text) if known == name), None)


@dataclass(frozen=True)
class Cell:
    """A cell: its bytes go from `start` to `end` of its row's, `attributes` and `content` are as they stand.

    `row` and `column` are None where it has no reference of the usual kind.
    """

    start: int
    end: int
    row: int | None
    column: int | None
    attributes: bytes
    content: bytes

    @property
    def formula(self) -> bool:
        """Whether its value is computed."""
        return _FORMULA.search(self.content) is not None

    @property
    def filled_area(self) -> Area | None:
        """The cells that its formula fills besides itself (an array formula or a data table); None for every other."""
        match = _FORMULA.search(self.content)
        if match is None or attribute_of(match[1], b"t") not in {b"array", b"dataTable"}:
            return None
        return parse_area((attribute_of(match[1], b"ref") or b"").decode("ascii", "replace"))


_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f(?=[\s/>])(%s)/?>" % _TAG_REST)


def cells_of(row: bytes, prefix: bytes) -> list[Cell]:
    """The cells of a row element, in order; `prefix` is that of the sheet's elements, with its colon."""
    cells = []
    opened: re.Match[bytes] | None = None
    for match in _cell_tags(prefix).finditer(row):
        if match[2] is None:
            continue
        if match[1]:
            if opened is not None:
                cells.append(_cell(row, opened, match.start(), match.end()))
            opened = None
        elif match[4]:
            cells.append(_cell(row, match, match.end(), match.end()))
        else:
            opened = match
    return cells


@lru_cache(maxsize=8)
def _cell_tags(prefix: bytes) -> re.Pattern[bytes]:
    return tag_pattern(re.escape(prefix) + b"c")


def _cell(row: bytes, opened: re.Match[bytes], content_end: int, end: int) -> Cell:
    # Nearly every writer puts the reference first.
    reference = _FIRST.match(opened[3]) or _REFERENCE.fullmatch(attribute_of(opened[3], b"r") or b"")
    return Cell(
        start=opened.start(),
        end=end,
        row=int(reference[2]) if reference else None,
        column=column_number(reference[1].decode()) if reference else None,
        attributes=opened[3],
        content=row[opened.end() : content_end],
    )
