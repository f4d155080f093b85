"""What an answer of UPS means, as a frozen value: pure functions of status, headers and body.

Header names are taken in lower case or by a mapping that ignores case.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from services.shipper.carriers.carrier import Label, Purchase
from services.shipper.carriers.ups.bodies import (
    Document,
    Headers,
    document,
    errors,
    label,
    many,
    money,
    one,
    pdf,
    succeeded,
    text,
)
from shared.shipping import Money

TOKEN_CODES = frozenset({"251004", "UJ0001", "250002", "250003"})
RATE_LIMIT_CODES = frozenset({"10429"})
# UPS's own trouble, told with a 4xx status: whether it acted before is not known.
UNCLEAR_CODES = frozenset({"10004", "20001", "120001"})

_CREATION_WORDS = (b"ShipmentResponse", b"ShipmentIdentificationNumber", b"TrackingNumber")


@dataclass(frozen=True)
class Bought:
    """The carrier sold the shipment."""

    purchase: Purchase


@dataclass(frozen=True)
class Refused:
    """The request itself was refused, for good; nothing was created."""

    code: str
    message: str


@dataclass(frozen=True)
class TokenRefused:
    """The token was refused; nothing was created."""

    code: str
    message: str


@dataclass(frozen=True)
class Blocked:
    """The account may not use the API; nothing was created."""

    code: str
    message: str


@dataclass(frozen=True)
class RateLimited:
    """Too many calls; nothing was created. `retry_after` is the header as sent, empty where there was none."""

    retry_after: str


@dataclass(frozen=True)
class Unclear:
    """The answer does not tell what the carrier did; `reason` is fit for a person."""

    reason: str


Failure = Refused | TokenRefused | Blocked | RateLimited | Unclear
ShipAnswer = Bought | Failure


def ship_answer(status: int, headers: Headers, body: bytes) -> ShipAnswer:
    """What an answer to a ship POST means (UPS Shipping v2409; one row of the table per branch).

    Bought only with `ResponseStatus.Code` 1 and a tracking number. Anything that does not prove that nothing was
    created is Unclear.
    """
    if not is_success(status):
        return failure(status, headers, body)
    answer = document(body)
    results = one(one((answer or {}).get("ShipmentResponse")).get("ShipmentResults"))
    packages = list(many(results.get("PackageResults")))
    numbers = tuple(filter(None, (text(package.get("TrackingNumber")) for package in packages)))
    # UPS's shipment id is the first parcel's tracking number.
    shipment_id = text(results.get("ShipmentIdentificationNumber")) or next(iter(numbers), "")
    if answer is None or not shipment_id:
        return _no_sale(status, headers, body)
    if not succeeded(one(answer.get("ShipmentResponse"))):
        return Unclear(f"HTTP {status} names shipment {shipment_id} but does not call it a success")
    return Bought(
        Purchase(
            shipment_id,
            numbers or (shipment_id,),
            _shipment_cost(results),
            _labels(packages),
            invoice=pdf(one(one(results.get("Form")).get("Image")).get("GraphicImage")),
        )
    )


def failure(status: int, headers: Headers, body: bytes) -> Failure:
    """What an answer other than 2xx means, whichever API it came from."""
    named = errors(headers, body)
    codes = {code for code, _ in named}
    code, message = named[0] if named else (f"HTTP {status}", "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unclear(_told(status, code, message))
    if status == HTTPStatus.FORBIDDEN:
        return Blocked(code, message)
    if status == HTTPStatus.TOO_MANY_REQUESTS or codes & RATE_LIMIT_CODES:
        return RateLimited(text(headers.get("retry-after")))
    if status == HTTPStatus.UNAUTHORIZED or codes & TOKEN_CODES:
        return TokenRefused(code, message)
    # Without a code of UPS's own it may be anybody's 4xx, such as a proxy's that gave up waiting.
    if status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.REQUEST_TIMEOUT or not named or codes & UNCLEAR_CODES:
        return Unclear(_told(status, code, message))
    return Refused(code, message)


def _no_sale(status: int, headers: Headers, body: bytes) -> ShipAnswer:
    # UPS refuses some requests with an empty 200 and the reason in a header; without the header nobody can tell, and
    # a body that speaks of a shipment may be a sale cut short.
    if text(headers.get("apierrorcode")) and not any(word in body for word in _CREATION_WORDS):
        return failure(HTTPStatus.BAD_REQUEST, headers, body)
    what = "unreadable body" if body.strip() else "empty body"
    return Unclear(f"HTTP {status} with an {what} or no tracking number")


def _shipment_cost(results: Document) -> Money | None:
    return preferred(results.get("NegotiatedRateCharges"), one(results.get("ShipmentCharges")).get("TotalCharges"))


def preferred(negotiated: object, published: object) -> Money | None:
    """The account's own price where there is one, else the published one; None where that is unreadable."""
    # An account with its own rates never pays the published one, so an unreadable own rate is no reason to show that.
    return money(one(negotiated).get("TotalCharge")) if negotiated else money(published)


def _labels(packages: list[Document]) -> tuple[Label, ...]:
    """Every parcel's label, or none at all, so that what is missing is fetched as one."""
    found = []
    for package in packages:
        shipping_label = one(package.get("ShippingLabel"))
        image = label(
            text(package.get("TrackingNumber")), shipping_label.get("ImageFormat"), shipping_label.get("GraphicImage")
        )
        if image is None or not image.tracking_number:
            return ()
        found.append(image)
    return tuple(found)


def is_success(status: int) -> bool:
    """Whether an HTTP status is one of the 200s."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _told(status: int, code: str, message: str) -> str:
    named = "" if code == f"HTTP {status}" else f", {code}"
    return f"HTTP {status}{named}{': ' + message if message else ''}"
