"""Address validation for the US and Puerto Rico, by rules of thumb and a short directory of places."""

from __future__ import annotations

import re

from services.sandbox.calls import Call, Sandbox
from services.sandbox.directory import has_street, place_of, spelt
from services.sandbox.replies import RefusedError, succeeded
from services.sandbox.wire import Json, branch, items, text

VALIDATE, CLASSIFY, BOTH = "1", "2", "3"
_COUNTRIES = {"US", "PR"}
_ZIP = re.compile(r"(?!00000|99999)\d{5}", re.ASCII)
_COMMERCIAL = re.compile(r"\b(STE|SUITE|FLOOR|PLAZA|WAREHOUSE|DOCK)\b", re.IGNORECASE)
_RESIDENTIAL = re.compile(r"\b(APT|UNIT|LN|LANE|CT|COURT|HOUSE)\b", re.IGNORECASE)
_CLASSES = {"0": "Unknown", "1": "Commercial", "2": "Residential"}


async def validate(sandbox: Sandbox, call: Call) -> Json:  # noqa: ARG001 - the signature is every handler's
    """Judge an address: valid, ambiguous (no street number) or unknown (no such ZIP code, a street called Nowhere).

    The candidate has the city and state of its ZIP code and the street as the directory spells it.

    Raises RefusedError 10002 for an unknown option, 264002 for a country that is not served.
    """
    option = call.path["option"]
    request = branch(call.body, "XAVRequest")
    address = branch(request, "AddressKeyFormat")
    if option not in {VALIDATE, CLASSIFY, BOTH} or not isinstance(address, dict):
        raise RefusedError("10002", "The request is well formed but the request is not valid")
    if text(address, "CountryCode").upper() not in _COUNTRIES:
        raise RefusedError("264002", "Country code is invalid or missing.")
    lines = [line.strip() for line in items(address.get("AddressLine")) if isinstance(line, str)]
    response: Json = {"Response": succeeded(branch(request, "Request"))}
    known = bool(_ZIP.fullmatch(text(address, "PostcodePrimaryLow")) and lines and has_street(lines[0]))
    if not known:
        response["NoCandidatesIndicator"] = ""
        return {"XAVResponse": response}
    if option != CLASSIFY:
        certain = any(character.isdigit() for character in lines[0])
        response["ValidAddressIndicator" if certain else "AmbiguousAddressIndicator"] = ""
    if option != VALIDATE:
        response["AddressClassification"] = _classification(lines)
    response["Candidate"] = [_candidate(address, lines, response.get("AddressClassification"))]
    return {"XAVResponse": response}


def _classification(lines: list[str]) -> Json:
    street = " ".join(lines)
    code = "1" if _COMMERCIAL.search(street) else "2" if _RESIDENTIAL.search(street) else "0"
    return {"Code": code, "Description": _CLASSES[code]}


def _candidate(address: Json, lines: list[str], classification: Json | None) -> Json:
    code, extension = text(address, "PostcodePrimaryLow"), text(address, "PostcodeExtendedLow")
    city, state = place_of(code, text(address, "PoliticalDivision2"), text(address, "PoliticalDivision1"))
    candidate: Json = {
        "AddressKeyFormat": {
            "AddressLine": [spelt(line) for line in lines],
            "PoliticalDivision2": city,
            "PoliticalDivision1": state,
            "PostcodePrimaryLow": code,
            "PostcodeExtendedLow": extension,
            "Region": f"{city} {state} {code}" + (f"-{extension}" if extension else ""),
            "CountryCode": text(address, "CountryCode").upper(),
        }
    }
    if classification is not None:
        candidate["AddressClassification"] = classification
    return candidate
