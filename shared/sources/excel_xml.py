"""XML as workbooks hold it: small parts as trees, and the check that lets a large one be cut by its bytes."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError  # nosec B405 - the types; defusedxml parses
from xml.parsers import expat

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from shared.errors import NOT_WORKBOOK, WORKBOOK_TOO_LARGE, TallyError

MAX_TEXT = 1 << 20  # bytes of one cell; Excel holds 32,767 characters

_LONG_TEXT = re.compile(rb"<[^<]{%d}" % MAX_TEXT)


def tree(content: bytes, part: str, label: str) -> Element:
    """The root of a small part. Raises E-1020: it is no XML, or it declares entities."""
    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise _declares(part, label) from error
    except (ParseError, ValueError, LookupError) as error:
        raise TallyError(NOT_WORKBOOK, path=label, reason=f"its part {part} is no XML") from error
    return root


def local_name(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its name, whatever its namespace."""
    return next((value for key, value in element.items() if key.rpartition("}")[2] == name), None)


def check_large(content: bytes, part: str, label: str) -> tuple[str, dict[str, str]]:
    """Check a large part; name and attributes of its root element.

    What passes is well-formed XML in UTF-8 or ASCII without a document type: there every `<` begins a tag, a comment,
    a CDATA section or a processing instruction. Raises E-1020, or E-1021 where a text is longer than any cell's.
    """
    if _LONG_TEXT.search(content):
        reason = f"a cell in it has more than {MAX_TEXT} characters"
        raise TallyError(WORKBOOK_TOO_LARGE, path=label, reason=reason)
    parser = expat.ParserCreate()
    root: list[tuple[str, dict[str, str]]] = []

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in {"utf-8", "us-ascii"}:
            raise TallyError(NOT_WORKBOOK, path=label, reason=f"its part {part} is in {encoding}, not in UTF-8")

    def started(name: str, attributes: dict[str, str]) -> None:
        root.append((name, attributes))
        # The rest is only checked: without a handler that takes the parser a third of the time.
        parser.StartElementHandler = None

    def refused(*_: object) -> None:
        raise _declares(part, label)

    parser.XmlDeclHandler = declared
    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = refused
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        raise TallyError(NOT_WORKBOOK, path=label, reason=f"its part {part} is in UTF-16, not in UTF-8")
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise TallyError(NOT_WORKBOOK, path=label, reason=f"its part {part} is no XML") from error
    return root[0]


def _declares(part: str, label: str) -> TallyError:
    return TallyError(NOT_WORKBOOK, path=label, reason=f"its part {part} declares a document type, as no workbook does")
