"""What UPS's answers to a void mean."""

from __future__ import annotations

import pytest

from services.shipper.carriers.ups.answers import Blocked, RateLimited, Refused, TokenRefused, Unclear
from services.shipper.carriers.ups.voids import GivenBack, void_answer
from tests.unit import ups_bodies as ups


@pytest.mark.parametrize(
    "body",
    [
        ups.void_body(),
        ups.void_body("1", "1"),
        ups.void_body("1", "1", "1"),
        ups.void_body("1", "1", "1", key="PackageLevelResults"),
    ],
)
def test_a_summary_that_says_so_is_a_void(body: bytes) -> None:
    assert void_answer(200, {}, body) == GivenBack()


@pytest.mark.parametrize("status", [200, 400])
def test_a_shipment_voided_before_is_a_success(status: int) -> None:
    assert void_answer(status, {}, ups.error_body(("190117", "Already voided"))) == GivenBack(already=True)
    assert void_answer(status, {"apierrorcode": "190117"}, b"") == GivenBack(already=True)


@pytest.mark.parametrize("code", ["190101", "190102"])
def test_outside_its_time_a_shipment_stays(code: str) -> None:
    answer = void_answer(400, {}, ups.error_body((code, "No shipment found within the allowed void period")))
    assert answer == Refused(code, "No shipment found within the allowed void period")


@pytest.mark.parametrize(
    "body", [ups.void_body("0"), ups.void_body("1", "0"), ups.void_body("1", "1", "0", key="PackageLevelResults")]
)
def test_a_parcel_that_was_not_voided_is_a_refusal(body: bytes) -> None:
    assert isinstance(void_answer(200, {}, body), Refused)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, ups.encoded({"VoidShipmentResponse": {"Response": ups.SUCCESS}})),
        (400, ups.error_body(("190001", "Try again"))),
        (400, ups.error_body(("190002", "Try again"))),
        (503, b""),
        (404, b"<html>"),
    ],
)
def test_what_tells_nothing_is_unclear(status: int, body: bytes) -> None:
    assert isinstance(void_answer(status, {}, body), Unclear)


def test_account_trouble_is_told_apart() -> None:
    assert isinstance(void_answer(401, {}, ups.error_body(("250002", "Invalid"))), TokenRefused)
    assert isinstance(void_answer(403, {}, ups.error_body(("250004", "Blocked"))), Blocked)
    assert isinstance(void_answer(429, {}, b""), RateLimited)
