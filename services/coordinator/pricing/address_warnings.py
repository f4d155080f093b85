"""What the carrier's directory says of a row's address, as warnings. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from shared.contracts.addresses import AddressFinding, KnownAddress
from shared.contracts.warning import RowWarning, WarningCode
from shared.shipping import Address

_ZIP = 5
_WORD = re.compile(r"[a-z0-9]+")
# The directory writes the Postal Service's abbreviations (Publication 28, appendix C): no other address for that.
_SHORT = {
    "apartment": "apt", "avenue": "ave", "boulevard": "blvd", "building": "bldg", "circle": "cir", "court": "ct",
    "crescent": "cres", "drive": "dr", "east": "e", "expressway": "expy", "floor": "fl", "freeway": "fwy",
    "heights": "hts", "highway": "hwy", "junction": "jct", "lane": "ln", "mount": "mt", "mountain": "mtn", "north": "n",
    "northeast": "ne", "northwest": "nw", "parkway": "pkwy", "place": "pl", "plaza": "plz", "road": "rd", "room": "rm",
    "saint": "st", "south": "s", "southeast": "se", "southwest": "sw", "square": "sq", "station": "sta",
    "street": "st", "suite": "ste", "terrace": "ter", "trail": "trl", "turnpike": "tpke", "west": "w",
}  # fmt: skip
_UNITS = {"apt", "ste", "unit", "fl", "rm", "bldg"}


def address_warnings(address: Address, finding: AddressFinding) -> tuple[RowWarning, ...]:
    """What a person may want to know of an address that ships as it is written."""
    return (*_of_the_place(address, finding), *_of_the_kind(address, finding))


def _of_the_place(address: Address, finding: AddressFinding) -> Iterator[RowWarning]:
    known = finding.known
    if finding.verdict == "unknown":
        yield RowWarning(
            code=WarningCode.ADDRESS_UNKNOWN, message="The carrier knows no such address.", field="address_1"
        )
    elif known is not None and (field := _different_field(address, known)):
        message = "The carrier knows the address otherwise."
        if finding.verdict == "ambiguous":
            message = "The carrier knows several addresses like it."
        yield RowWarning(code=WarningCode.ADDRESS_SUGGESTED, message=message, field=field, suggestion=str(known))
    elif finding.verdict == "ambiguous":
        message = "The carrier does not know which address it is: a number, a unit or a direction may be missing."
        yield RowWarning(code=WarningCode.ADDRESS_UNKNOWN, message=message, field="address_1")


def _of_the_kind(address: Address, finding: AddressFinding) -> Iterator[RowWarning]:
    if finding.residential is None or finding.residential == address.residential:
        return
    message, suggestion = "The carrier counts it as commercial; the row says residential, which costs more.", "no"
    if finding.residential:
        message = "The carrier counts it as residential and may charge for that; the row does not say so."
        suggestion = "yes"
    yield RowWarning(code=WarningCode.RESIDENTIAL, message=message, field="residential", suggestion=suggestion)


def _different_field(address: Address, known: KnownAddress) -> str:
    """The field in which an address is not as it is known; empty where there is none."""
    if known.lines and _words(address.lines) != _words(known.lines):
        return "address_1"
    if _words((address.city,)) != _words((known.city,)):
        return "city"
    if known.state and address.country != known.state and address.state.upper() != known.state.upper():
        return "state"
    if known.postal_code and _zip(address.postal_code) != _zip(known.postal_code):
        return "postal_code"
    return ""


def _words(lines: Iterable[str]) -> list[str]:
    """The words of lines whatever their case, accents, order, abbreviation and punctuation."""
    text = unicodedata.normalize("NFKD", " ".join(lines).casefold())
    plain = (
        "".join(char for char in text if not unicodedata.combining(char))
        .replace("'", "")
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    )
    words = (_SHORT.get(word, word) for word in _WORD.findall(plain))
    return sorted(word for word in words if word not in _UNITS)


def _zip(code: str) -> str:
    return "".join(char for char in code if char.isdigit())[:_ZIP]
