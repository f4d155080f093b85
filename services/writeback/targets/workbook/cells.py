"""Texts put into the cells of one row's XML; every byte of the other cells stays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape  # nosec B406 - it writes XML and reads none

from shared.sources.excel_cells import Cell, attribute_of, attributes_of, tag_pattern
from shared.sources.excel_workbook import column_letters

# What belongs to the value that goes, not to the cell: its type and its metadata.
_OF_THE_VALUE = frozenset({b"t", b"cm", b"vm"})
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class CellText:
    """What a cell is to say, '' for nothing; `style` is that of a cell that is yet to be made."""

    text: str
    style: bytes | None = None


def fits(text: str) -> bool:
    """Whether a cell can hold a text: XML has no control characters."""
    return _FORBIDDEN.search(text) is None


def with_texts(row: bytes, cells: Sequence[Cell], number: int, prefix: bytes, texts: Mapping[int, CellText]) -> bytes:
    """The element of row `number`, whose `cells` are in order, with `texts` in the columns of these numbers."""
    by_column = {cell.column: cell for cell in cells}
    pieces, position = [], 0
    for column, wanted in sorted(texts.items()):
        cell = by_column.get(column)
        if cell is not None:
            start, end, piece = cell.start, cell.end, _changed(cell, prefix, wanted.text)
        else:
            start = end = next((each.start for each in cells if (each.column or 0) > column), cells[-1].end)
            piece = _made(column, number, prefix, wanted) if wanted.text else b""
        pieces += [row[position:start], piece]
        position = end
    return _with_span(b"".join([*pieces, row[position:]]), prefix, max(texts))


def style_at(cells: Sequence[Cell], column: int) -> bytes | None:
    """The style of the cell in a column; None where it has none."""
    return next((attribute_of(cell.attributes, b"s") for cell in cells if cell.column == column), None)


def style_of_new(row: bytes, prefix: bytes, head: bytes, column: int) -> bytes | None:
    """The style that a program gives a cell which is made in this row and column: the row's, else the column's."""
    opened = tag_pattern(re.escape(prefix) + b"row").match(row)
    assert opened is not None
    if attribute_of(opened[3], b"customFormat") in {b"1", b"true"}:
        return attribute_of(opened[3], b"s")
    for match in tag_pattern(re.escape(prefix) + b"col").finditer(head):
        if match[2] is None or match[1]:
            continue
        low, high = attribute_of(match[3], b"min"), attribute_of(match[3], b"max")
        if low and high and int(low) <= column <= int(high):
            return attribute_of(match[3], b"style")
    return None


def _changed(cell: Cell, prefix: bytes, text: str) -> bytes:
    kept = b"".join(whole for whole, name, _ in attributes_of(cell.attributes) if name not in _OF_THE_VALUE)
    return b"<%sc%s/>" % (prefix, kept) if not text else _with_content(kept, prefix, text)


def _made(column: int, number: int, prefix: bytes, wanted: CellText) -> bytes:
    attributes = f' r="{column_letters(column)}{number}"'.encode()
    if wanted.style is not None:
        attributes += b' s="%s"' % wanted.style
    return _with_content(attributes, prefix, wanted.text)


def _with_content(attributes: bytes, prefix: bytes, text: str) -> bytes:
    space = b' xml:space="preserve"' if text != text.strip() else b""
    content = escape(_LOOKS_ESCAPED.sub("_x005F_", text)).encode()
    return b'<%(p)sc%(a)s t="inlineStr"><%(p)sis><%(p)st%(s)s>%(c)s</%(p)st></%(p)sis></%(p)sc>' % {
        b"p": prefix,
        b"a": attributes,
        b"s": space,
        b"c": content,
    }


def _with_span(row: bytes, prefix: bytes, column: int) -> bytes:
    """The row with its note of which columns it has, if it has one, brought in line."""
    opened = tag_pattern(re.escape(prefix) + b"row").match(row)
    assert opened is not None
    spans = re.fullmatch(rb"(\d+):(\d+)", attribute_of(opened[3], b"spans") or b"")
    if spans is None or int(spans[2]) >= column:
        return row
    whole = next(whole for whole, name, _ in attributes_of(opened[3]) if name == b"spans")
    changed = whole.replace(spans[0], b"%s:%d" % (spans[1], column))
    return row[: opened.start(3)] + opened[3].replace(whole, changed, 1) + row[opened.end(3) :]
