"""Kept texts are free of personal data: the recipient's own, and any e-mail address or phone number."""

import pytest

from shared.shipping import Address, Contact
from shared.shipping.redaction import without_contact, without_personal_data

MARY = Contact(
    name="Mary Planted",
    company="Planted & Sons",
    phone="(512) 555-0187",
    email="mary@planted.example",
    address=Address(lines=("12 Hidden Lane", "Apt 4"), city="Austin", state="TX", postal_code="78701"),
)


@pytest.mark.parametrize(
    "private", ["Mary Planted", "PLANTED & SONS", "12 hidden lane", "Apt 4", "(512) 555-0187", "mary@planted.example"]
)
def test_what_is_the_recipients_own_is_left_out(private: str) -> None:
    assert without_contact(f"The carrier says: {private} is not known.", MARY) == "The carrier says: […] is not known."


def test_city_state_and_postal_code_stay() -> None:
    words = "Austin, TX does not match 78701"
    assert without_personal_data(words, MARY) == words


def test_a_name_inside_another_word_stays() -> None:
    assert without_contact("Apt 45 is full", MARY) == "Apt 45 is full"


@pytest.mark.parametrize(
    "number", ["512-555-0199", "(512) 555-0199", "+44 20 7946 0958", "5125550199", "512.555.0199", "joe.x@shop.example"]
)
def test_whose_ever_phone_or_address_it_is_it_is_left_out(number: str) -> None:
    assert without_personal_data(f"Called {number}, nothing bought", MARY) == "Called […], nothing bought"


@pytest.mark.parametrize("words", ["1Z999AA10123456784 is on the invoice", "looked at 09:15 on 2026-11-21", "row 17"])
def test_a_tracking_number_and_a_time_stay(words: str) -> None:
    assert without_personal_data(words, MARY) == words
