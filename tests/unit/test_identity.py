"""Ids are the same however often they are made, and fit where they go."""

import re

from hypothesis import given
from hypothesis import strategies as st

from services.coordinator.identity import job_id_for, new_installation, reference_for, reservation_key


@given(st.text(min_size=1, max_size=200))
def test_a_request_id_is_always_the_same_job_and_one_subject_token(request_id: str) -> None:
    job_id = job_id_for("ABCDEFGH", request_id)
    assert job_id == job_id_for("ABCDEFGH", request_id)
    assert re.fullmatch(r"[a-z2-7]{16}", job_id)


def test_two_installations_make_different_jobs_of_one_request_id() -> None:
    assert job_id_for("ABCDEFGH", "orders") != job_id_for("ABCDEFGI", "orders")


@given(st.text(min_size=1, max_size=50), st.integers(min_value=1, max_value=1_000_000))
def test_a_reference_fits_a_carriers_field_and_names_its_row(request_id: str, row: int) -> None:
    installation = new_installation()
    job_id = job_id_for(installation, request_id)
    reference = reference_for(installation, job_id, row)
    assert re.fullmatch(r"[A-Z0-9]{1,35}", reference)
    assert int(reference[-7:]) == row
    assert reference != reference_for(installation, job_id, row + 1)


@given(st.tuples(*[st.text(max_size=20)] * 3), st.tuples(*[st.text(max_size=20)] * 3))
def test_only_the_same_order_of_the_same_source_has_the_same_reservation(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    if "\0" not in "".join(one + other):
        assert (reservation_key(*one) == reservation_key(*other)) == (one == other)
