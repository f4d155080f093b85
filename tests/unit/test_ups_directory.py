"""Address validation: what UPS's directory is asked, and what its answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from services.shipper.carriers.ups.answers import Refused, Unclear
from services.shipper.carriers.ups.directory import Found, check_answer, check_call, is_covered
from shared.contracts.addresses import AddressFinding, KnownAddress
from shared.shipping import Address
from tests.unit import ups_bodies as ups

NO_HEADERS: Mapping[str, str] = {}
ALDER_COURT = {
    "AddressKeyFormat": {
        "AddressLine": ["7 ALDER CT", "APT 4"],
        "PoliticalDivision2": "AGAWAM",
        "PoliticalDivision1": "MA",
        "PostcodePrimaryLow": "01001",
        "PostcodeExtendedLow": "2345",
    }
}
KNOWN = KnownAddress(lines=("7 ALDER CT", "APT 4"), city="AGAWAM", state="MA", postal_code="01001-2345")


def found(**response: Any) -> AddressFinding:
    body = ups.encoded({"XAVResponse": {"Response": ups.SUCCESS, **response}})
    answer = check_answer(200, NO_HEADERS, body)
    assert isinstance(answer, Found)
    return answer.finding


def test_an_address_is_asked_for_without_who_lives_there() -> None:
    call = check_call(ups.contact().address)
    assert json.loads(call.body)["XAVRequest"]["AddressKeyFormat"] == {
        "AddressLine": ["7 Alder Court", "Apt 4"],
        "PoliticalDivision2": "Agawam",
        "PoliticalDivision1": "MA",
        "PostcodePrimaryLow": "01001",
        "PostcodeExtendedLow": "2345",
        "CountryCode": "US",
    }
    assert call.target.startswith("/api/addressvalidation/v2/3?")
    assert (call.kind, call.trans_id, call.aside, call.repeatable) == (None, "", True, True)


@pytest.mark.parametrize(("code", "residential"), [("0", None), ("1", False), ("2", True)])
def test_a_valid_address_is_told_as_the_directory_has_it(code: str, residential: bool | None) -> None:
    finding = found(ValidAddressIndicator="", AddressClassification={"Code": code}, Candidate=[ALDER_COURT])
    assert finding == AddressFinding(verdict="valid", known=KNOWN, residential=residential)


def test_of_several_candidates_the_first_is_the_likeliest() -> None:
    other = {"AddressKeyFormat": {"PoliticalDivision2": "AGAR"}}
    likeliest = ALDER_COURT | {"AddressClassification": {"Code": "2"}}
    finding = found(AmbiguousAddressIndicator="", Candidate=[likeliest, other])
    assert finding == AddressFinding(verdict="ambiguous", known=KNOWN, residential=True)


def test_a_candidate_may_come_as_an_object_with_one_line() -> None:
    one = {"AddressKeyFormat": {**ALDER_COURT["AddressKeyFormat"], "AddressLine": "7 ALDER CT"}}
    finding = found(ValidAddressIndicator="", Candidate=one)
    assert finding.known is not None
    assert finding.known.lines == ("7 ALDER CT",)


def test_an_address_may_be_unknown() -> None:
    assert found(NoCandidatesIndicator="") == AddressFinding(verdict="unknown")


@pytest.mark.parametrize("body", [b"", b"{}", ups.encoded({"XAVResponse": {"Response": ups.SUCCESS}})])
def test_an_answer_without_a_verdict_is_unclear(body: bytes) -> None:
    assert isinstance(check_answer(200, NO_HEADERS, body), Unclear)


def test_a_refusal_has_the_carriers_code() -> None:
    answer = check_answer(400, NO_HEADERS, ups.error_body(("264002", "Country code is invalid")))
    assert answer == Refused("264002", "Country code is invalid")


@pytest.mark.parametrize(
    ("country", "state", "covered"), [("US", "TX", True), ("PR", "", True), ("US", "PR", True), ("CA", "ON", False)]
)
def test_the_directory_covers_the_united_states_and_puerto_rico(country: str, state: str, covered: bool) -> None:
    assert is_covered(Address(lines=("1 A",), city="B", state=state, country=country)) is covered
