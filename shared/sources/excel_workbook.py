"""What a workbook consists of: its sheets, their tables, and what forbids changing it."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from xml.etree.ElementTree import Element  # nosec B405 - the type; defusedxml parses

from shared.errors import NOT_WORKBOOK, SHEET_NOT_FOUND, TallyError
from shared.sources.excel_package import Package, open_package, part_key
from shared.sources.excel_xml import attribute, local_name, tree

MAX_COLUMN, MAX_ROW = 1 << 14, 1 << 20  # Excel's limits

_WORKBOOK = "xl/workbook.xml"
_HIDDEN = frozenset({"hidden", "veryHidden"})


@dataclass(frozen=True)
class Relationship:
    """What one part says of another: the last word of the relationship's type, and the other part's name."""

    kind: str
    part: str


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, rows and columns from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    def has_row(self, row: int) -> bool:
        """Whether it reaches into a row."""
        return self.top <= row <= self.bottom

    def has_column(self, column: int) -> bool:
        """Whether it reaches into a column."""
        return self.left <= column <= self.right


@dataclass(frozen=True)
class Table:
    """A table of a sheet; `area` covers its header and totals. `outside` is what fills it, '' for nothing."""

    name: str
    part: str
    area: Area
    header_rows: int
    totals_rows: int
    outside: str


@dataclass(frozen=True)
class Sheet:
    """A worksheet: its name, its part, whether people see it, its tables and what else it refers to.

    `others` are the names of the workbook's other worksheets that people see.
    """

    name: str
    part: str
    hidden: bool
    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...]
    others: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name as an error has it that somebody may get for having meant another sheet."""
        others = f" (its other sheets are {', '.join(self.others)}; name one with --sheet)" if self.others else ""
        return f"sheet {self.name}{others}"


@dataclass(frozen=True)
class Workbook:
    """A workbook and the names of its worksheets, in order, each with its part and whether it is hidden."""

    package: Package
    names: tuple[tuple[str, str, bool], ...]

    @property
    def label(self) -> str:
        """What the workbook is called in errors."""
        return self.package.label

    def sheet(self, name: str | None) -> Sheet:
        """The sheet of a name, whatever its case; the first that is not hidden where it is None. Raises E-1020, E-1022.

        The name of a table gives the sheet that holds it.
        """
        if name is None:
            index = next((i for i, (_, _, hidden) in enumerate(self.names) if not hidden), 0)
            return self._sheet(index)
        for index, (known, _, _) in enumerate(self.names):
            if known.casefold() == name.casefold():
                return self._sheet(index)
        sheets = [self._sheet(index) for index in range(len(self.names))]
        for sheet in sheets:
            if any(table.name.casefold() == name.casefold() for table in sheet.tables):
                return sheet
        known_names = [sheet.name for sheet in sheets] + [table.name for sheet in sheets for table in sheet.tables]
        raise TallyError(SHEET_NOT_FOUND, path=self.label, sheet=name, names=", ".join(known_names))

    def _sheet(self, index: int) -> Sheet:
        name, part, hidden = self.names[index]
        relationships = _relationships(self.package, part)
        tables = tuple(_table(self.package, each.part) for each in relationships if each.kind == "table")
        others = tuple(other for other, _, is_hidden in self.names if other != name and not is_hidden)
        return Sheet(name, part, hidden, tables, relationships, others)


def open_workbook(raw: bytes, label: str) -> Workbook:
    """The workbook in a file's bytes. Raises E-1020 or E-1021."""
    package = open_package(raw, label)
    if _WORKBOOK not in package:
        raise TallyError(NOT_WORKBOOK, path=label, reason=_other_document(package))
    parts = {
        identity: each.part for identity, each in _identified(package, _WORKBOOK).items() if each.kind == "worksheet"
    }
    names = []
    for element in tree(package.read(_WORKBOOK), _WORKBOOK, label).iter():
        part = parts.get(attribute(element, "id") or "")
        if local_name(element) == "sheet" and part is not None:
            names.append((_name(element, "name", package), part, element.get("state") in _HIDDEN))
    if not names:
        raise TallyError(NOT_WORKBOOK, path=label, reason="it has no worksheet")
    if len({name.casefold() for name, _, _ in names}) < len(names):
        raise TallyError(NOT_WORKBOOK, path=label, reason="two of its sheets have one name")
    return Workbook(package, tuple(names))


def reason_not_to_change(workbook: Workbook) -> str | None:
    """What forbids writing to a workbook at all, in words; None where nothing does."""
    parts = workbook.package.entries
    root = _relationships(workbook.package, "") if "_rels/.rels" in workbook.package else ()
    if any(part.startswith("_xmlsignatures/") for part in parts) or any(
        "digital-signature" in each.part or each.kind == "origin" for each in root
    ):
        return "it is digitally signed, and any change breaks the signature"
    if any(part.startswith("xl/revisions/") for part in parts):
        return "it is a shared workbook that keeps a history of changes"
    return None


@lru_cache(maxsize=MAX_COLUMN)
def column_number(letters: str) -> int:
    """A column's number from 1, by its letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter.upper()) - 64
    return number


def column_letters(number: int) -> str:
    """A column's letters by its number from 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


_AREA = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})(?::\$?([A-Za-z]{1,3})\$?(\d{1,7}))?")


def parse_area(text: str) -> Area | None:
    """The area that a reference such as B4:F20 names; None where it is no such reference."""
    match = _AREA.fullmatch(text)
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    area = Area(int(top), column_number(left), int(bottom or top), column_number(right or left))
    inside = 1 <= area.top <= area.bottom <= MAX_ROW and area.left <= area.right <= MAX_COLUMN
    return area if inside else None


def show_area(area: Area) -> str:
    """The reference of an area."""
    return f"{column_letters(area.left)}{area.top}:{column_letters(area.right)}{area.bottom}"


def _table(package: Package, part: str) -> Table:
    root = tree(package.read(part), part, package.label)
    area = parse_area(root.get("ref", ""))
    if area is None:
        raise TallyError(NOT_WORKBOOK, path=package.label, reason=f"its part {part} names no range")
    kind = root.get("tableType", "worksheet")
    return Table(
        name=_name(root, "displayName", package) or _name(root, "name", package),
        part=part,
        area=area,
        header_rows=_count(root, "headerRowCount", 1),
        totals_rows=_count(root, "totalsRowCount", 0),
        outside="" if kind == "worksheet" else kind,
    )


def _name(element: Element, attribute: str, package: Package) -> str:
    """A name that people see, '' where there is none. Raises E-1020 where control characters are in it."""
    name = element.get(attribute, "")
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise TallyError(NOT_WORKBOOK, path=package.label, reason="a name in it has control characters")
    return name


def _count(element: Element, name: str, default: int) -> int:
    text = element.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def _relationships(package: Package, part: str) -> tuple[Relationship, ...]:
    return tuple(_identified(package, part).values())


def _identified(package: Package, part: str) -> dict[str, Relationship]:
    """The relationships of a part, by their ids; those that lead outside the package are left out."""
    folder, name = posixpath.split(part)
    file = posixpath.join(folder, "_rels", f"{name}.rels")
    if file not in package:
        return {}
    return {
        element.get("Id", ""): Relationship(
            element.get("Type", "").rpartition("/")[2],
            part_key(posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))),
        )
        for element in tree(package.read(file), file, package.label)
        if element.get("TargetMode") != "External"
    }


def _other_document(package: Package) -> str:
    if "xl/workbook.bin" in package:
        return "it is a binary workbook (.xlsb)"
    if "mimetype" in package:
        return "it is an OpenDocument file"
    return "it is a zip archive without a workbook in it"
