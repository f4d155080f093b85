"""A sheet's XML with some rows changed, and what must go with them: its dimension, and a recalculation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from shared.sources.excel_cells import attribute_of, attributes_of, tag_pattern
from shared.sources.excel_sheet import SheetRow, SheetXml
from shared.sources.excel_workbook import parse_area, show_area


def with_rows(xml: SheetXml, rows: Mapping[int, bytes], last_column: int, *, recalculate: bool) -> SheetXml:
    """The sheet with the rows at these indices replaced; none of them goes beyond `last_column` where it did not.

    With `recalculate` it asks the program that opens it to compute its formulas anew: they may depend on what changed.
    """
    head = _with_dimension(xml.head, xml.prefix, last_column)
    tail = _recalculated(xml.tail, xml.prefix) if recalculate else xml.tail
    pieces, position = [head], xml.start
    for index in sorted(rows):
        pieces += [xml.content[position : xml.rows[index].start], rows[index]]
        position = xml.rows[index].end
    pieces += [xml.content[position : xml.end], tail]
    shift, moved = len(head) - xml.start, []
    for index, row in enumerate(xml.rows):
        start, last = row.start + shift, row.last
        if index in rows:
            shift += len(rows[index]) - (row.end - row.start)
            last = max(last, last_column)
        moved.append(SheetRow(row.number, start, row.end + shift, last))
    return replace(xml, content=b"".join(pieces), start=len(head), end=xml.end + shift, rows=tuple(moved))


def _with_dimension(head: bytes, prefix: bytes, last_column: int) -> bytes:
    for match in tag_pattern(re.escape(prefix) + b"dimension").finditer(head):
        if match[2] is None or match[1]:
            continue
        area = parse_area((attribute_of(match[3], b"ref") or b"").decode("ascii", "replace"))
        if area is None or area.right >= last_column:
            return head
        whole, _, value = next(found for found in attributes_of(match[3]) if found[1] == b"ref")
        wider = whole.replace(value, show_area(replace(area, right=last_column)).encode())
        return head[: match.start(3)] + match[3].replace(whole, wider, 1) + head[match.end(3) :]
    return head


def _recalculated(tail: bytes, prefix: bytes) -> bytes:
    """The tail, which begins with the end of the rows, with the element that asks for a full calculation."""
    wanted = b' fullCalcOnLoad="1"'
    for match in tag_pattern(re.escape(prefix) + b"sheetCalcPr").finditer(tail):
        if match[2] is None:
            continue
        kept = b"".join(whole for whole, name, _ in attributes_of(match[3]) if name != b"fullCalcOnLoad")
        return tail[: match.start(3)] + kept + wanted + tail[match.end(3) :]
    at = tail.startswith(b"</") and tail.index(b">") + 1
    return tail[:at] + b"<%ssheetCalcPr%s/>" % (prefix, wanted) + tail[at:]
