"""A bound on the text of a sheet: strings that cells share may be many times the file."""

from __future__ import annotations

import re

from shared.errors import WORKBOOK_TOO_LARGE, TallyError
from shared.sources.excel_sheet import SheetXml
from shared.sources.excel_xml import MAX_TEXT, check_large

MAX_SHARED = 1 << 30  # bytes of text that all cells of a sheet share


def shared_lengths(content: bytes, part: str, label: str) -> list[int]:
    """How many bytes each shared string takes, markup included. Raises E-1020, or E-1021 for one beyond any cell."""
    name, _ = check_large(content, part, label)
    prefix, colon, _ = name.rpartition(":")
    starts = [
        match.start() for match in re.finditer(rb"<%ssi(?=[\s/>])" % re.escape((prefix + colon).encode()), content)
    ]
    lengths = [end - start for start, end in zip(starts, [*starts[1:], len(content)], strict=True)]
    if max(lengths, default=0) > MAX_TEXT:
        reason = f"a cell in it has more than {MAX_TEXT} characters"
        raise TallyError(WORKBOOK_TOO_LARGE, path=label, reason=reason)
    return lengths


def check_shared(sheet: SheetXml, lengths: list[int], label: str) -> None:
    """Raise E-1021 where the cells of a sheet share so much text that nobody can hold it."""
    longest = max(lengths, default=0)
    span = sheet.content[sheet.start : sheet.end]
    if span.count(b"<%sc" % sheet.prefix) * longest <= MAX_SHARED:
        return
    usual = re.findall(rb"\st=\"s\"[^<>]*>\s*<%sv>\s*([0-9]{1,9})\s*<" % re.escape(sheet.prefix), span)
    others = len(re.findall(rb"\st\s*=\s*[\"']s[\"']", span)) - len(usual)
    total = others * longest + sum(lengths[index] for text in usual if (index := int(text)) < len(lengths))
    if total > MAX_SHARED:
        raise TallyError(WORKBOOK_TOO_LARGE, path=label, reason=f"its cells share more than {MAX_SHARED >> 20} MiB")
