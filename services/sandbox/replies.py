"""What the sandbox answers: success bodies, error bodies, amounts, as UPS writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from services.sandbox.wire import Json, text

CURRENCY = "USD"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `body` is JSON, or empty."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """The sandbox refuses a call with UPS's `code`; it becomes the answer's error body, never a traceback."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class EmptyAnswerError(Exception):
    """The sandbox answers HTTP 200 with no body and `apierrorcode: 1`, as UPS does to a control character."""


def success(document: object) -> Reply:
    """A success with `document` as its body."""
    return Reply(json.dumps(document, separators=(",", ":")).encode())


def refusal(error: RefusedError, *, retry_after: int | None = None) -> Reply:
    """An error body in lower case, with UPS's headers `apierrorcode` and `apierrormsg`."""
    body = {"response": {"errors": [{"code": error.code, "message": error.message}]}}
    headers = {"apierrorcode": error.code, "apierrormsg": _header_text(error.message)}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Reply(json.dumps(body).encode(), error.status, headers)


def empty(*, with_error_code: bool) -> Reply:
    """HTTP 200 without a body; with the code, nothing was created."""
    return Reply(b"", headers={"apierrorcode": "1"} if with_error_code else {})


def succeeded(request: object) -> Json:
    """The `Response` element of a success; it echoes the request's CustomerContext."""
    response: Json = {"ResponseStatus": {"Code": "1", "Description": "Success"}}
    if context := text(request, "TransactionReference", "CustomerContext"):
        response["TransactionReference"] = {"CustomerContext": context}
    return response


def amount(value: Decimal) -> Json:
    """An amount of money with two decimals."""
    return {"CurrencyCode": CURRENCY, "MonetaryValue": f"{value:.2f}"}


def pounds(weight: Decimal | int) -> Json:
    """A weight in pounds with one decimal."""
    return {"UnitOfMeasurement": {"Code": "LBS", "Description": "Pounds"}, "Weight": f"{weight:.1f}"}


def _header_text(message: str) -> str:
    # A header carries printable Latin-1 only; messages quote what the caller sent.
    return "".join(character if " " <= character <= "~" else "?" for character in message)
