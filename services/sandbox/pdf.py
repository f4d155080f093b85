"""A PDF of one page of text, by hand: as much of the format as a label or an invoice needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line of text at a place on the page, in points from its lower left corner."""

    left: int
    bottom: int
    size: int
    text: str


def page(width: int, height: int, lines: Iterable[Line]) -> bytes:
    """The PDF of a page of `width` x `height` points; characters outside Latin-1 become question marks."""
    shown = b" ".join(
        b"BT /F1 %d Tf %d %d Td (%s) Tj ET" % (line.size, line.left, line.bottom, _escaped(line.text)) for line in lines
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R /Resources 6 0 R >>" % (width, height),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    document, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return document + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, entries, size, len(document))
    )


def _escaped(text: str) -> bytes:
    plain = "".join(character if character.isprintable() else " " for character in text)
    for character in "\\()":
        plain = plain.replace(character, f"\\{character}")
    return plain.encode("latin-1", "replace")
