"""A sheet's XML cut into its rows by their bytes: what reading is bounded by, and what writing back changes.

Each row stays as it stands; head, rows and tail joined are the sheet again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from shared.errors import NOT_WORKBOOK, WORKBOOK_TOO_LARGE, TallyError
from shared.sources.excel_cells import Cell, attribute_of, cells_of, tag_pattern
from shared.sources.excel_workbook import MAX_COLUMN, MAX_ROW, Area, column_number, parse_area
from shared.sources.excel_xml import check_large

MAX_CELLS = 30_000_000  # of the rectangle around all filled cells, which the reader holds in memory at once

_NAMESPACES = frozenset(
    {
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    }
)
_SHAPES = 1000  # sets of columns remembered
_REDECLARES = re.compile(rb"<[^<>]*\sxmlns[:=]")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row element: its number from 1, its bytes, and the last column it has a cell in (0: none)."""

    number: int
    start: int
    end: int
    last: int


@dataclass(frozen=True)
class SheetXml:
    """A sheet's XML. Its rows are between `start` and `end`; `irregular` says why cells cannot be told by place."""

    content: bytes
    prefix: bytes
    start: int
    end: int
    rows: tuple[SheetRow, ...]
    irregular: str | None

    @property
    def head(self) -> bytes:
        """What stands before the rows."""
        return self.content[: self.start]

    @property
    def tail(self) -> bytes:
        """What stands after the rows."""
        return self.content[self.end :]

    def row(self, row: SheetRow) -> bytes:
        """The bytes of one row."""
        return self.content[row.start : row.end]

    def cells(self, row: SheetRow) -> list[Cell]:
        """The cells of one row."""
        return cells_of(self.row(row), self.prefix)

    @property
    def has_formulas(self) -> bool:
        """Whether any cell's value is computed."""
        return self._holds_formula(self.start, self.end)

    def has_formula(self, row: SheetRow) -> bool:
        """Whether any cell of a row may have its value computed."""
        return self._holds_formula(row.start, row.end)

    def _holds_formula(self, start: int, end: int) -> bool:
        return re.compile(rb"<%sf[\s/>]" % re.escape(self.prefix)).search(self.content, start, end) is not None

    @property
    def merged(self) -> list[Area]:
        """The areas of merged cells."""
        found = (match for match in _named(self.prefix, b"mergeCell").finditer(self.content, self.end) if match[2])
        areas = (parse_area((attribute_of(match[3], b"ref") or b"").decode("ascii", "replace")) for match in found)
        return [area for area in areas if area is not None]


def scan_sheet(content: bytes, part: str, label: str) -> SheetXml:
    """The rows of a sheet's XML.

    Raises E-1020: it is no sheet. Raises E-1021: its cells spread so far that nobody can hold them.
    """
    name, attributes = check_large(content, part, label)
    prefix, _, root = name.rpartition(":")
    namespace = attributes.get(f"xmlns:{prefix}" if prefix else "xmlns")
    if root != "worksheet" or namespace not in _NAMESPACES:
        raise TallyError(NOT_WORKBOOK, path=label, reason=f"its part {part} is no worksheet")
    return _Scan(content, f"{prefix}:".encode() if prefix else b"", part, label).sheet()


class _Scan:
    """One pass over a sheet."""

    def __init__(self, content: bytes, prefix: bytes, part: str, label: str) -> None:
        self._content = content
        self._prefix = prefix
        self._part = part
        self._label = label
        self._irregular: str | None = None
        self._rows: list[SheetRow] = []
        self._bottom = 0
        self._quick = re.compile(rb"<%sc(?=[\s/>])(?:\s+r=\"([A-Z]{1,3})([0-9]{1,7})\")?" % re.escape(prefix))
        # Comments, CDATA sections and instructions may hold what looks like a cell.
        self._may_mislead = b"<!" in content or content.count(b"<?") > 1
        self._in_order: dict[tuple[bytes, ...], int] = {}

    def sheet(self) -> SheetXml:
        start, end = self._cut()
        if _REDECLARES.search(self._content, start, end):
            self._irregular = "its cells declare XML namespaces"
        self._check_spread()
        return SheetXml(self._content, self._prefix, start, end, tuple(self._rows), self._irregular)

    def _cut(self) -> tuple[int, int]:
        """Find the rows; where they begin and end."""
        begin, opened, number = -1, -1, 0
        for match in _named(self._prefix, b"row|%ssheetData" % re.escape(self._prefix)).finditer(self._content):
            closes, name, attributes, is_empty = match.groups()
            if name is None:
                continue
            if name.endswith(b"sheetData"):
                if closes or is_empty:
                    return begin if closes else match.end(), match.start() if closes else match.end()
                begin = match.end()
            elif begin >= 0:
                if not closes:
                    opened, number = match.start(), self._number(attributes, number)
                if closes or is_empty:
                    self._rows.append(SheetRow(number, opened, match.end(), self._last(opened, match.end(), number)))
        raise TallyError(NOT_WORKBOOK, path=self._label, reason=f"its part {self._part} holds no cells")

    def _number(self, attributes: bytes, previous: int) -> int:
        text = attribute_of(attributes, b"r")
        if text is None:
            self._irregular = self._irregular or "its rows have no numbers"
            return previous + 1
        if not text.isdigit() or not 0 < int(text) <= MAX_ROW:
            raise TallyError(NOT_WORKBOOK, path=self._label, reason="a row in it has an impossible number")
        if int(text) <= previous:
            self._irregular = self._irregular or "its rows are not in order"
        return int(text)

    def _last(self, start: int, end: int, number: int) -> int:
        """The last column of a row's cells."""
        found = self._quick.findall(self._content, start, end)
        if not found:
            return 0
        letters = tuple([letters for letters, _ in found])
        if self._may_mislead or not all(letters):
            places = self._places(start, end)
        elif letters in self._in_order and {row for _, row in found} == {b"%d" % number}:
            # Nearly every row has the columns of the one before it.
            self._bottom = max(self._bottom, number)
            return self._in_order[letters]
        else:
            places = [(int(row), column_number(letters.decode())) for letters, row in found]
        columns = [column for _, column in places]
        last = max(columns, default=0)
        self._bottom = max(self._bottom, number, *(row for row, _ in places))
        if last > MAX_COLUMN or self._bottom > MAX_ROW:
            raise self._impossible()
        if any(row != number for row, _ in places) or any(left >= right for left, right in pairwise(columns)):
            self._irregular = self._irregular or "its cells are not in order"
        elif not self._may_mislead and all(letters):
            if len(self._in_order) == _SHAPES:
                self._in_order.clear()
            self._in_order[letters] = last
        return last

    def _places(self, start: int, end: int) -> list[tuple[int, int]]:
        """Row and column of each cell, told one by one; one without a reference follows the one before it."""
        places: list[tuple[int, int]] = []
        for cell in cells_of(self._content[start:end], self._prefix):
            if cell.row is None or cell.column is None:
                if attribute_of(cell.attributes, b"r") is not None:
                    raise self._impossible()
                self._irregular = self._irregular or "its cells have no references"
                # Its row's number is not known here, and does not count: an irregular sheet is not written to.
                places.append((places[-1][0] if places else 1, places[-1][1] + 1 if places else 1))
            else:
                places.append((cell.row, cell.column))
        return places

    def _check_spread(self) -> None:
        if not self._rows:
            return
        if self._spread(max(row.last for row in self._rows)) <= MAX_CELLS:
            return
        filled = (
            cell.column or 0
            for row in self._rows
            if row.last
            for cell in cells_of(self._content[row.start : row.end], self._prefix)
            if cell.content
        )
        width = max(filled, default=0)
        if self._spread(width) > MAX_CELLS:
            reason = f"its cells spread over {self._bottom} rows and {width} columns"
            raise TallyError(WORKBOOK_TOO_LARGE, path=self._label, reason=reason)

    def _spread(self, width: int) -> int:
        return self._bottom * width

    def _impossible(self) -> TallyError:
        return TallyError(NOT_WORKBOOK, path=self._label, reason="a cell in it has an impossible reference")


@lru_cache(maxsize=32)
def _named(prefix: bytes, name: bytes) -> re.Pattern[bytes]:
    return tag_pattern(re.escape(prefix) + name)
