"""Reading UPS's JSON without trusting its shape.

UPS sends one-item lists as an object in older versions and as an array in newer ones, and every number as a string;
what is missing or of another shape reads as empty here, never as an exception.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from pydantic import ValidationError

from services.shipper.carriers.carrier import Label
from shared.shipping import Money

Headers = Mapping[str, str]
Document = Mapping[str, object]
LabelFormat = Literal["gif", "png", "zpl", "epl", "pdf"]

_EMPTY: Document = {}
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)
_FORMATS: Mapping[str, LabelFormat] = {"GIF": "gif", "PNG": "png", "ZPL": "zpl", "EPL": "epl", "PDF": "pdf"}
_SIGNATURES: tuple[tuple[bytes, LabelFormat], ...] = (
    (b"GIF8", "gif"),
    (b"\x89PNG", "png"),
    (b"^XA", "zpl"),
    (b"%PDF", "pdf"),
)
_LONGEST_MESSAGE = 300


def document(body: bytes) -> Document | None:
    """The JSON object in `body`, its numbers as strings; None where there is none."""
    try:
        value = json.loads(body, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def one(value: object) -> Document:
    """An object, or the first object of a list; empty otherwise."""
    return next(many(value), _EMPTY)


def many(value: object) -> Iterator[Document]:
    """The objects of a list, or the one object that stands for a list of one."""
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, dict):
            yield item


def text(value: object) -> str:
    """A string without the blanks around it; empty for anything else."""
    return value.strip() if isinstance(value, str) else ""


def money(value: object) -> Money | None:
    """UPS's ``{CurrencyCode, MonetaryValue}``; None where it is unreadable."""
    charge = one(value)
    amount = text(charge.get("MonetaryValue"))
    if not _AMOUNT.fullmatch(amount):
        return None
    try:
        return Money(amount=Decimal(amount), currency=text(charge.get("CurrencyCode")))
    except ValidationError:
        return None


def label(tracking_number: str, image_format: object, image: object) -> Label | None:
    """A parcel's label from its format code and base64 image; None where it is unreadable."""
    content = _decoded(image)
    kind = _FORMATS.get(text(one(image_format).get("Code")).upper()) or _format_of(content)
    return Label(tracking_number, kind, content) if content and kind else None


def pdf(image: object) -> bytes | None:
    """A PDF from its base64; None where it is none."""
    content = _decoded(image)
    return content if _format_of(content) == "pdf" else None


def _decoded(image: object) -> bytes:
    """The content of base64, empty where it is unreadable."""
    try:
        return base64.b64decode(text(image), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _format_of(content: bytes) -> LabelFormat | None:
    return next((kind for signature, kind in _SIGNATURES if content.startswith(signature)), None)


def succeeded(response: Document) -> bool:
    """Whether a body's `Response.ResponseStatus.Code` is 1."""
    status = one(one(response.get("Response")).get("ResponseStatus"))
    return text(status.get("Code")) == "1"


def errors(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    """An error answer's codes and words, from its body, else from the headers `apierrorcode` and `apierrormsg`."""
    envelope = one((document(body) or _EMPTY).get("response"))
    found = [(text(error.get("code")), text(error.get("message"))) for error in many(envelope.get("errors"))]
    found = [(code, message) for code, message in found if code]
    code = text(headers.get("apierrorcode"))
    if not found and code:
        found = [(code, text(headers.get("apierrormsg")))]
    return [(plain(code), plain(message)) for code, message in found]


def plain(words: str) -> str:
    """A carrier's words as one line without control characters or a final full stop, at most 300 characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return line[:_LONGEST_MESSAGE].rstrip(".")
