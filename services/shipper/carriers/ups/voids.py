"""What an answer of UPS's Void means: a pure function of status, headers and body."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from services.shipper.carriers.ups.answers import Failure, Refused, Unclear, failure
from services.shipper.carriers.ups.bodies import Headers, document, errors, many, one, plain, succeeded, text

# UPS documents none of these codes.
ALREADY_CODES = frozenset({"190117"})
TRANSIENT_CODES = frozenset({"190001", "190002"})
_VOIDED = "1"
_PARTLY = "not every parcel of the shipment could be voided"


@dataclass(frozen=True)
class GivenBack:
    """The shipment is void; `already` says that it was before."""

    already: bool = False


VoidAnswer = GivenBack | Failure


def void_answer(status: int, headers: Headers, body: bytes) -> VoidAnswer:
    """What an answer of Void means (UPS Void v2409).

    Given back only where the summary says so and no parcel's own result contradicts it.
    """
    codes = {code for code, _ in errors(headers, body)}
    if codes & ALREADY_CODES:
        return GivenBack(already=True)
    if codes & TRANSIENT_CODES:
        return Unclear(f"HTTP {status}, {', '.join(sorted(codes))}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return failure(status, headers, body)
    response = one((document(body) or {}).get("VoidShipmentResponse"))
    summary = one(one(response.get("SummaryResult")).get("Status"))
    if not succeeded(response) or not summary:
        return Unclear(f"HTTP {status} without a readable result")
    # Older versions call the list PackageLevelResult, newer ones PackageLevelResults.
    parcels = [*many(response.get("PackageLevelResult")), *many(response.get("PackageLevelResults"))]
    left = [one(parcel.get("Status")) for parcel in parcels]
    refused = [told for told in (summary, *left) if told and text(told.get("Code")) != _VOIDED]
    if refused:
        words = plain(text(refused[0].get("Description"))) or _PARTLY
        return Refused(text(refused[0].get("Code")) or f"HTTP {status}", words)
    return GivenBack()
