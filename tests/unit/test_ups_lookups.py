"""What Label Recovery and Track say of a reference, and what the two together prove."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shipper.carriers.carrier import Label, Purchase
from services.shipper.carriers.ups.answers import Blocked, RateLimited, Refused, TokenRefused, Unclear
from services.shipper.carriers.ups.lookups import (
    Exists,
    NotFound,
    Recovered,
    Tracked,
    Voided,
    conclude,
    recovery_answer,
    track_answer,
)
from tests.unit import ups_bodies as ups

FIRST = Purchase(ups.TRACKING_NUMBER, (ups.TRACKING_NUMBER,), None)
SECOND = Purchase(ups.SECOND_NUMBER, (ups.SECOND_NUMBER,), None)
GONE = NotFound("300007: not found")


def test_a_recovered_shipment_has_its_numbers_and_labels_and_no_cost() -> None:
    body = ups.recovery_body(ups.TRACKING_NUMBER, ups.SECOND_NUMBER)
    answer = recovery_answer(200, {}, body)
    assert isinstance(answer, Recovered)
    assert answer.purchase == Purchase(
        ups.TRACKING_NUMBER,
        (ups.TRACKING_NUMBER, ups.SECOND_NUMBER),
        None,
        (Label(ups.TRACKING_NUMBER, "gif", ups.GIF), Label(ups.SECOND_NUMBER, "gif", ups.GIF)),
    )


def test_a_recovered_label_may_come_as_an_object() -> None:
    body = json.loads(ups.recovery_body(ups.TRACKING_NUMBER))
    body["LabelRecoveryResponse"]["LabelResults"] = body["LabelRecoveryResponse"]["LabelResults"][0]
    assert recovery_answer(200, {}, ups.encoded(body)) == recovery_answer(
        200, {}, ups.recovery_body(ups.TRACKING_NUMBER)
    )


def test_a_recovered_shipment_without_a_readable_label_is_still_recovered() -> None:
    body = json.loads(ups.recovery_body(ups.TRACKING_NUMBER))
    body["LabelRecoveryResponse"]["LabelResults"][0]["LabelImage"] = {}
    assert recovery_answer(200, {}, ups.encoded(body)) == Recovered(FIRST)


def test_the_shipment_itself_may_be_named_as_a_candidate() -> None:
    body = ups.recovery_body(ups.TRACKING_NUMBER, candidates=(ups.TRACKING_NUMBER,))
    assert isinstance(recovery_answer(200, {}, body), Recovered)


def test_another_candidate_means_several_shipments() -> None:
    for numbers in ((), (ups.TRACKING_NUMBER,)):
        body = ups.recovery_body(*numbers, candidates=(ups.TRACKING_NUMBER, ups.SECOND_NUMBER))
        answer = recovery_answer(200, {}, body)
        assert isinstance(answer, Exists)
        assert answer.several
        assert answer.candidates == (ups.TRACKING_NUMBER, ups.SECOND_NUMBER)


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        (("300007", "9801031"), NotFound),
        (("300033", "9801040"), Voided),
        (("300002", "300006", "9801028", "9800020", "300034", "9801041", "9801042"), Exists),
        (("300001", "300035"), Exists),
        (("300000", "9800000"), Unclear),
    ],
)
def test_label_recoverys_codes(status: int, codes: tuple[str, ...], meaning: type) -> None:
    for code in codes:
        answer = recovery_answer(status, {}, ups.error_body((code, "Words")))
        assert isinstance(answer, meaning)
        assert answer == Unclear(f"{code}: Words") or f"words='{code}: Words'" in repr(answer)
        assert not isinstance(answer, Exists) or answer.several == (code in {"300001", "300035"})


def test_of_several_codes_the_least_certain_counts() -> None:
    assert isinstance(recovery_answer(400, {}, ups.error_body(("300007", "a"), ("300034", "b"))), Exists)
    assert isinstance(recovery_answer(400, {}, ups.error_body(("300007", "a"), ("300000", "b"))), Unclear)


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (401, b"", TokenRefused),
        (403, b"", Blocked),
        (429, b"", RateLimited),
        (400, ups.error_body(("9801005", "?")), Refused),
        (404, b"<html>", Unclear),
        (503, ups.error_body(("300007", "?")), Unclear),
        (200, b"", Unclear),
        (200, b'{"LabelRecoveryResponse":{}}', Unclear),
        (200, ups.recovery_body(), Unclear),
    ],
)
def test_no_other_answer_of_label_recovery_says_not_found(status: int, body: bytes, meaning: type) -> None:
    assert isinstance(recovery_answer(status, {}, body), meaning)


def test_track_lists_live_shipments_and_counts_voided_ones() -> None:
    voided = ups.parcel(ups.SECOND_NUMBER, type="MV", code="VP", description="Billing information voided")
    body = ups.track_body([ups.parcel(ups.TRACKING_NUMBER)], [voided])
    assert track_answer(200, {}, body, ups.REFERENCE) == Tracked((FIRST,), 1)


@pytest.mark.parametrize(
    "status",
    [{"type": "MV"}, {"code": "mv"}, {"description": "Shipment voided"}, {"simplifiedTextDescription": "Void"}],
)
def test_a_voided_parcel_is_known_by_type_code_or_words(status: dict[str, str]) -> None:
    body = ups.track_body([ups.parcel(ups.TRACKING_NUMBER, **status)])
    assert track_answer(200, {}, body, ups.REFERENCE) == Tracked((), 1)


def test_a_parcel_held_to_avoid_damage_is_not_voided() -> None:
    body = ups.track_body([ups.parcel(ups.TRACKING_NUMBER, description="Held to avoid damage")])
    assert track_answer(200, {}, body, ups.REFERENCE) == Tracked((FIRST,), 0)


def test_track_keeps_the_parcels_of_a_shipment_together() -> None:
    body = ups.track_body([ups.parcel(ups.TRACKING_NUMBER), ups.parcel(ups.SECOND_NUMBER)])
    both = Purchase(ups.TRACKING_NUMBER, (ups.TRACKING_NUMBER, ups.SECOND_NUMBER), None)
    assert track_answer(200, {}, body, ups.REFERENCE) == Tracked((both,), 0)


def test_a_parcel_of_another_reference_is_not_adopted() -> None:
    other = [ups.parcel(ups.SECOND_NUMBER, reference="TLYOTHER")]
    ours = [ups.parcel(ups.TRACKING_NUMBER, reference=ups.REFERENCE.lower())]
    assert track_answer(200, {}, ups.track_body(other, ours), ups.REFERENCE) == Tracked((FIRST,), 0)


def test_only_parcels_of_another_reference_prove_nothing() -> None:
    body = ups.track_body([ups.parcel(ups.SECOND_NUMBER, reference="TLYOTHER")])
    assert isinstance(track_answer(200, {}, body, ups.REFERENCE), Unclear)


def test_a_parcel_without_references_counts() -> None:
    parcel = ups.parcel(ups.TRACKING_NUMBER)
    del parcel["referenceNumber"]
    assert track_answer(200, {}, ups.track_body([parcel]), ups.REFERENCE) == Tracked((FIRST,), 0)


def test_track_says_not_found_by_a_warning_or_by_404() -> None:
    assert isinstance(track_answer(200, {}, ups.track_body(), ups.REFERENCE), NotFound)
    assert isinstance(track_answer(404, {}, ups.error_body(("TV1002", "Not found")), ups.REFERENCE), NotFound)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"<html>"),
        (200, b""),
        (200, b'{"trackResponse":{"shipment":[]}}'),
        (200, ups.track_body([{"referenceNumber": []}])),
        (503, b""),
        (500, ups.error_body(("TW0001", "?"))),
    ],
)
def test_no_other_answer_of_track_says_not_found(status: int, body: bytes) -> None:
    assert isinstance(track_answer(status, {}, body, ups.REFERENCE), Unclear)


@given(st.integers(100, 599), st.binary(max_size=100))
def test_no_noise_is_read_as_not_found_or_as_a_shipment(status: int, body: bytes) -> None:
    certain = NotFound | Voided | Exists | Recovered | Tracked
    assert not isinstance(recovery_answer(status, {}, body), certain)
    assert not isinstance(track_answer(status, {}, body, ups.REFERENCE), certain)


@pytest.mark.parametrize("recovery", [GONE, Voided("300033: voided")])
def test_nothing_is_proven_only_where_both_say_so(recovery: NotFound | Voided) -> None:
    assert conclude(recovery, GONE) == ()
    assert conclude(recovery, Tracked((), 1)) == ()
    assert conclude(recovery, Tracked((FIRST,), 0)) == (FIRST,)


def test_a_shipment_without_a_label_is_found_by_its_track() -> None:
    exists = Exists("300002: no label")
    assert conclude(exists, Tracked((FIRST,), 0)) == (FIRST,)


@pytest.mark.parametrize("track", [GONE, Tracked((), 1)])
def test_a_shipment_that_exists_and_cannot_be_named_is_never_not_found(track: NotFound | Tracked) -> None:
    assert isinstance(conclude(Exists("300034: not processed yet"), track), Unclear)


def test_several_shipments_are_all_told() -> None:
    several = Exists("300035: several", several=True)
    assert conclude(several, Tracked((FIRST, SECOND), 0)) == (FIRST, SECOND)


def test_one_of_several_shipments_is_not_adopted_while_the_others_are_out_of_sight() -> None:
    several = Exists("300035: several", several=True)
    for track in (Tracked((FIRST,), 0), Tracked((FIRST,), 1), Tracked((), 2), GONE):
        assert isinstance(conclude(several, track), Unclear)


def test_candidates_stand_in_for_what_track_does_not_list() -> None:
    several = Exists("several", several=True, candidates=(ups.TRACKING_NUMBER, ups.SECOND_NUMBER))
    assert conclude(several, GONE) == conclude(several, Tracked((FIRST,), 0)) == (FIRST, SECOND)


def test_candidates_that_are_parcels_of_one_shipment_are_that_shipment() -> None:
    several = Exists("several", several=True, candidates=(ups.TRACKING_NUMBER, ups.SECOND_NUMBER))
    whole = Purchase(ups.TRACKING_NUMBER, (ups.TRACKING_NUMBER, ups.SECOND_NUMBER), None)
    assert conclude(several, Tracked((whole,), 0)) == (whole,)
