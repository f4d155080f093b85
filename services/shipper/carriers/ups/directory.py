"""Address validation: UPS's directory of addresses in the US and Puerto Rico (Address Validation v2)."""

from __future__ import annotations

from dataclasses import dataclass

from services.shipper.carriers.ups.answers import Failure, Unclear, failure, is_success
from services.shipper.carriers.ups.bodies import Document, Headers, document, many, one, plain, succeeded, text
from services.shipper.carriers.ups.requests import Call, encoded
from shared.contracts.addresses import AddressFinding, KnownAddress
from shared.shipping import Address, country_of
from shared.shipping.lane import UNITED_STATES

CHECK_PATH = "/api/addressvalidation/v2/3"

_LIMITS = "?regionalrequestindicator=False&maximumcandidatelistsize=3"
_ZIP = 5
_RESIDENTIAL = {"1": False, "2": True}


@dataclass(frozen=True)
class Found:
    """What the directory has."""

    finding: AddressFinding


CheckAnswer = Found | Failure


def is_covered(address: Address) -> bool:
    """Whether the directory has addresses of that country."""
    return country_of(address) in UNITED_STATES


def check_call(address: Address) -> Call:
    """Look `address` up and say whether it is residential; who lives there is not told."""
    code = "".join(char for char in address.postal_code if char.isdigit())
    asked = {
        "AddressLine": list(address.lines),
        "PoliticalDivision2": address.city,
        "PoliticalDivision1": address.state,
        "PostcodePrimaryLow": code[:_ZIP],
        **({"PostcodeExtendedLow": code[_ZIP:]} if code[_ZIP:] else {}),
        "CountryCode": country_of(address),
    }
    body = {"XAVRequest": {"Request": {"RequestOption": "3"}, "AddressKeyFormat": asked}}
    return Call("Address Validation", "POST", CHECK_PATH + _LIMITS, "", encoded(body), aside=True)


def check_answer(status: int, headers: Headers, body: bytes) -> CheckAnswer:
    """What an answer says of the address asked for."""
    if not is_success(status):
        return failure(status, headers, body)
    response = one((document(body) or {}).get("XAVResponse"))
    if not succeeded(response):
        return Unclear(f"HTTP {status} without a readable finding")
    candidates = list(many(response.get("Candidate")))
    likeliest = candidates[0] if candidates else {}
    known = _known(one(likeliest.get("AddressKeyFormat")))
    residential = _residential(response) if "AddressClassification" in response else _residential(likeliest)
    if "ValidAddressIndicator" in response:
        return Found(AddressFinding(verdict="valid", known=known, residential=residential))
    if "AmbiguousAddressIndicator" in response:
        return Found(AddressFinding(verdict="ambiguous", known=known, residential=residential))
    if "NoCandidatesIndicator" in response:
        return Found(AddressFinding(verdict="unknown"))
    return Unclear(f"HTTP {status} without a verdict on the address")


def _residential(judged: Document) -> bool | None:
    return _RESIDENTIAL.get(text(one(judged.get("AddressClassification")).get("Code")))


def _known(found: Document) -> KnownAddress | None:
    city = _told(found.get("PoliticalDivision2"))
    if not city:
        return None
    lines = found.get("AddressLine")
    code, extension = _told(found.get("PostcodePrimaryLow")), _told(found.get("PostcodeExtendedLow"))
    return KnownAddress(
        lines=tuple(filter(None, map(_told, lines if isinstance(lines, list) else [lines]))),
        city=city,
        state=_told(found.get("PoliticalDivision1")),
        postal_code=f"{code}-{extension}" if extension else code,
    )


def _told(value: object) -> str:
    return plain(text(value))
