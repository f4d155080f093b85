"""A table's part with columns added at its right edge: its range, its filter's range and its list of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from xml.sax.saxutils import quoteattr  # nosec B406 - it writes XML and reads none

from shared.sources.excel_cells import attribute_of, attributes_of, tag_pattern
from shared.sources.excel_workbook import parse_area, show_area


def with_columns(part: bytes, names: Sequence[str]) -> bytes:
    """The part of a table with columns of these names after its last one."""
    edits = []
    identities: list[int] = []
    prefix = b""
    for match in tag_pattern(rb"(?:[\w.-]+:)?(?:table|autoFilter|tableColumns|tableColumn)").finditer(part):
        if match[2] is None:
            continue
        element = match[2].rpartition(b":")[2]
        if match[1]:
            if element == b"tableColumns":
                edits.append((match.start(), match.start(), _columns(prefix, names, max(identities, default=0))))
        elif element == b"table":
            prefix = match[2].removesuffix(b"table")
            edits.append((match.start(3), match.end(3), _wider(match[3], len(names))))
        elif element == b"autoFilter":
            edits.append((match.start(3), match.end(3), _wider(match[3], len(names))))
        elif element == b"tableColumns":
            edits.append((match.start(3), match.end(3), _counted(match[3], len(names))))
        else:
            identities.append(int(attribute_of(match[3], b"id") or 0))
    pieces, position = [], 0
    for start, end, piece in edits:
        pieces += [part[position:start], piece]
        position = end
    return b"".join([*pieces, part[position:]])


def _columns(prefix: bytes, names: Sequence[str], last: int) -> bytes:
    return b"".join(
        b'<%stableColumn id="%d" name=%s/>' % (prefix, number, quoteattr(name).encode())
        for number, name in enumerate(names, start=last + 1)
    )


def _wider(attributes: bytes, count: int) -> bytes:
    """The attributes of an element, its range reaching `count` columns further."""
    for whole, name, value in attributes_of(attributes):
        area = parse_area(value.decode("ascii", "replace")) if name == b"ref" else None
        if area is not None:
            wider = show_area(replace(area, right=area.right + count)).encode()
            return attributes.replace(whole, whole.replace(value, wider), 1)
    return attributes


def _counted(attributes: bytes, count: int) -> bytes:
    for whole, name, value in attributes_of(attributes):
        if name == b"count":
            return attributes.replace(whole, whole.replace(value, b"%d" % (int(value) + count)), 1)
    return attributes
