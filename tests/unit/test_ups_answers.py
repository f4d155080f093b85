"""What an answer to a ship POST means: the whole table, and whatever else may come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.shipper.carriers.carrier import Label, Purchase
from services.shipper.carriers.ups.answers import (
    Blocked,
    Bought,
    RateLimited,
    Refused,
    TokenRefused,
    Unclear,
    ship_answer,
)
from shared.shipping import Money
from tests.unit import ups_bodies as ups

HARD_CODES = (
    "120100", "120102", "120199", "120200", "120207", "120300", "120124", "120500", "120541", "120542", "120600",
    "120609", "121000", "111285", "9120055",
)  # fmt: skip
NO_HEADERS: Mapping[str, str] = {}


def bought(body: bytes) -> Purchase:
    answer = ship_answer(200, NO_HEADERS, body)
    assert isinstance(answer, Bought)
    return answer.purchase


def test_a_sold_shipment_has_its_number_own_price_and_label() -> None:
    assert bought(ups.ship_body()) == Purchase(
        shipment_id=ups.TRACKING_NUMBER,
        tracking_numbers=(ups.TRACKING_NUMBER,),
        cost=Money(amount=Decimal("9.87")),
        labels=(Label(ups.TRACKING_NUMBER, "gif", ups.GIF),),
    )


def test_without_negotiated_rates_the_published_price_counts() -> None:
    assert bought(ups.ship_body(NegotiatedRateCharges=None)).cost == Money(amount=Decimal("14.20"))


def test_an_unreadable_own_price_is_not_replaced_by_the_published_one() -> None:
    assert bought(ups.ship_body(NegotiatedRateCharges={"TotalCharge": {"MonetaryValue": "n/a"}})).cost is None


def test_every_parcel_of_a_shipment_is_told() -> None:
    parcels = [ups.package_result(), ups.package_result(ups.SECOND_NUMBER)]
    purchase = bought(ups.ship_body(PackageResults=parcels))
    assert purchase.tracking_numbers == (ups.TRACKING_NUMBER, ups.SECOND_NUMBER)
    assert [label.tracking_number for label in purchase.labels] == [ups.TRACKING_NUMBER, ups.SECOND_NUMBER]


def test_one_unreadable_label_of_several_has_all_fetched_again() -> None:
    parcels = [ups.package_result(), {"TrackingNumber": ups.SECOND_NUMBER}]
    assert bought(ups.ship_body(PackageResults=parcels)).labels == ()


def test_one_item_arrays_may_come_as_objects_and_objects_as_arrays() -> None:
    as_object = ups.ship_body(PackageResults=ups.package_result())
    as_array = ups.ship_body(NegotiatedRateCharges=[{"TotalCharge": [ups.NEGOTIATED]}])
    assert bought(as_object) == bought(as_array) == bought(ups.ship_body())


@pytest.mark.parametrize(
    "charges",
    [None, "", [], {}, {"TotalCharges": None}, {"TotalCharges": {"CurrencyCode": "usd", "MonetaryValue": "1.00"}},
     {"TotalCharges": {"CurrencyCode": "USD", "MonetaryValue": "NaN"}},
     {"TotalCharges": {"CurrencyCode": "USD", "MonetaryValue": "1e9"}},
     {"TotalCharges": {"CurrencyCode": "USD", "MonetaryValue": "-3.00"}},
     {"TotalCharges": {"CurrencyCode": "USD", "MonetaryValue": "1,00"}}],
)  # fmt: skip
def test_a_sale_with_unreadable_charges_is_still_a_sale(charges: object) -> None:
    purchase = bought(ups.ship_body(NegotiatedRateCharges=None, ShipmentCharges=charges))
    assert (purchase.tracking_numbers, purchase.cost) == ((ups.TRACKING_NUMBER,), None)
    assert purchase.labels


@pytest.mark.parametrize(
    "label",
    [None, [], {"GraphicImage": ""}, {"GraphicImage": "not base64!"}, {"GraphicImage": "AAAA"},
     {"ImageFormat": {"Code": "SPL"}, "GraphicImage": "AAAA"}],
)  # fmt: skip
def test_a_sale_with_an_unreadable_label_is_still_a_sale(label: object) -> None:
    parcel = {"TrackingNumber": ups.TRACKING_NUMBER, "ShippingLabel": label}
    purchase = bought(ups.ship_body(PackageResults=[parcel]))
    assert (purchase.tracking_numbers, purchase.labels) == ((ups.TRACKING_NUMBER,), ())
    assert purchase.cost


def test_a_label_without_a_format_is_known_by_its_first_bytes() -> None:
    parcel = ups.package_result()
    del parcel["ShippingLabel"]["ImageFormat"]
    assert bought(ups.ship_body(PackageResults=[parcel])).labels[0].format == "gif"


def test_the_shipment_id_alone_is_a_sale_for_it_is_the_first_parcels_number() -> None:
    purchase = bought(ups.ship_body(PackageResults="?", ShipmentCharges="?", NegotiatedRateCharges="?"))
    assert purchase == Purchase(ups.TRACKING_NUMBER, (ups.TRACKING_NUMBER,), None, ())


def test_a_tracking_number_alone_is_a_sale() -> None:
    assert bought(ups.ship_body(ShipmentIdentificationNumber=None)).shipment_id == ups.TRACKING_NUMBER


def test_numbers_that_come_unquoted_are_read_without_floats() -> None:
    body = ups.ship_body().replace(b'"9.87"', b"9.87").replace(b'"Code": "1"', b'"Code": 1')
    assert bought(body).cost == Money(amount=Decimal("9.87"))


@pytest.mark.parametrize("response", [None, {}, {"ResponseStatus": {"Code": "0"}}, {"ResponseStatus": {}}])
def test_a_tracking_number_without_success_leaves_the_outcome_unknown(response: object) -> None:
    answer = ship_answer(200, NO_HEADERS, ups.ship_body(response=response))
    assert isinstance(answer, Unclear)
    assert ups.TRACKING_NUMBER in answer.reason


def test_success_without_a_tracking_number_leaves_the_outcome_unknown() -> None:
    body = ups.ship_body(ShipmentIdentificationNumber=None, PackageResults=None)
    assert isinstance(ship_answer(200, NO_HEADERS, body), Unclear)


def test_an_empty_200_with_an_error_code_created_nothing() -> None:
    headers = {"apierrorcode": "1", "apierrormsg": "Invalid character."}
    assert ship_answer(200, headers, b"") == Refused("1", "Invalid character")


@pytest.mark.parametrize("body", [b"", b" \r\n", b"<html>", b"[]", b"null", b"{}", b'{"response":{}}', b"\xff\xfe"])
def test_a_2xx_without_a_sale_and_without_an_error_code_leaves_the_outcome_unknown(body: bytes) -> None:
    for status in (200, 201, 202, 204):
        assert isinstance(ship_answer(status, NO_HEADERS, body), Unclear)


def test_a_sale_cut_short_leaves_the_outcome_unknown_whatever_the_headers_say() -> None:
    whole = ups.ship_body()
    assert isinstance(ship_answer(200, {"apierrorcode": "1"}, whole[: len(whole) // 2]), Unclear)


def test_an_empty_200_with_a_code_of_the_carriers_own_trouble_leaves_the_outcome_unknown() -> None:
    assert isinstance(ship_answer(200, {"apierrorcode": "10004"}, b""), Unclear)


@pytest.mark.parametrize("code", HARD_CODES)
def test_a_hard_400_created_nothing(code: str) -> None:
    body = ups.error_body((code, "Missing or invalid."))
    assert ship_answer(400, NO_HEADERS, body) == Refused(code, "Missing or invalid")


def test_the_carriers_words_become_one_plain_line() -> None:
    answer = ship_answer(400, NO_HEADERS, ups.error_body(("120100", "Bad\r\n\x1b[31mcharacter\x00. " + "x" * 1000)))
    assert isinstance(answer, Refused)
    assert answer.message.startswith("Bad [31mcharacter . xxx")
    assert len(answer.message) <= 300


def test_the_code_may_come_in_a_header_alone() -> None:
    assert ship_answer(400, {"apierrorcode": "120100", "apierrormsg": "No"}, b"") == Refused("120100", "No")


@pytest.mark.parametrize("code", ["251004", "UJ0001", "250002", "250003"])
def test_a_token_code_asks_for_another_token(code: str) -> None:
    for status in (400, 401):
        assert ship_answer(status, NO_HEADERS, ups.error_body((code, "Token"))) == TokenRefused(code, "Token")


def test_any_401_asks_for_another_token() -> None:
    assert ship_answer(401, NO_HEADERS, b"") == TokenRefused("HTTP 401", "")


def test_a_403_blocks_the_account() -> None:
    body = ups.error_body(("10403", "Blocked Merchant"))
    assert ship_answer(403, NO_HEADERS, body) == Blocked("10403", "Blocked Merchant")


def test_a_429_is_a_rate_limit_and_tells_how_long_to_wait() -> None:
    assert ship_answer(429, {"retry-after": "3"}, b"") == RateLimited("3")
    assert ship_answer(400, NO_HEADERS, ups.error_body(("10429", "Too many requests"))) == RateLimited("")


@pytest.mark.parametrize("code", ["10004", "20001", "120001"])
def test_the_carriers_own_trouble_leaves_the_outcome_unknown(code: str) -> None:
    for errors in ([(code, "Unavailable")], [("120100", "Bad"), (code, "Unavailable")]):
        assert isinstance(ship_answer(400, NO_HEADERS, ups.error_body(*errors)), Unclear)


@pytest.mark.parametrize("status", [100, 301, 302, 304, 307, 400, 404, 408, 418, 500, 502, 503, 504, 599])
def test_an_answer_that_is_not_the_carriers_leaves_the_outcome_unknown(status: int) -> None:
    assert isinstance(ship_answer(status, NO_HEADERS, b"<html>Bad Gateway</html>"), Unclear)


@pytest.mark.parametrize("code", [*HARD_CODES, "250002", "10429"])
def test_no_code_makes_a_5xx_certain(code: str) -> None:
    assert isinstance(ship_answer(503, NO_HEADERS, ups.error_body((code, "?"))), Unclear)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
HEADERS = st.dictionaries(st.sampled_from(["apierrorcode", "apierrormsg", "retry-after"]), st.text(max_size=10))


@given(st.integers(100, 599), HEADERS, st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@example(200, {}, b"[" * 100_000)
@example(200, {}, b'{"ShipmentResponse":' * 10_000)
@example(400, {}, b'{"response":' * 10_000)
def test_no_answer_without_a_tracking_number_is_a_sale_and_none_raises(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    assert not isinstance(ship_answer(status, headers, body), Bought)


@given(st.integers(100, 599), HEADERS, st.binary(max_size=200))
def test_only_a_4xx_or_an_error_code_proves_that_nothing_was_created(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    if not 400 <= status < 500 and not headers.get("apierrorcode", "").strip():
        assert isinstance(ship_answer(status, headers, body), Unclear)


@given(
    st.sets(st.sampled_from(["ShipmentCharges", "NegotiatedRateCharges", "PackageResults"])),
    JSON.filter(lambda junk: not isinstance(junk, dict | list)),
)
def test_no_damage_beside_the_shipment_id_hides_a_sale(names: set[str], junk: object) -> None:
    purchase = bought(ups.ship_body(**dict.fromkeys(names, junk)))
    assert purchase.tracking_numbers == (ups.TRACKING_NUMBER,)


@given(st.integers(0, 400))
def test_no_sale_cut_short_is_taken_for_a_refusal(length: int) -> None:
    answer = ship_answer(200, NO_HEADERS, ups.ship_body()[:length])
    assert isinstance(answer, Unclear)
