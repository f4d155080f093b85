"""What is done quickly for a million orders comes out as it would one by one: nothing of an order depends on others."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordinator.mapping import Defaults, Fields, RowInvalidError, Senders, map_order, parcels, reading
from services.coordinator.mapping.mapping import parse_mapping
from services.coordinator.mapping.text import are_clean, clean
from shared.shipping import Address, Contact, Dimensions, Shipment
from shared.sources.rows import RowFormat, row_checksum

SENDER = Contact(name="Dock", address=Address(lines=("1 Dock",), city="Austin", state="TX", postal_code="78701"))
# Of each field what will do, what will not, and what has to be cleaned.
CHOICES = {
    "recipient_name": ["Maya", " Maya  Okafor ", ""],
    "address_1": ["418 Alder Court", "418\tAlder\u200b Court", "x" * 36],
    "city": ["Boston"],
    "state": ["MA", "Massachusetts", "Nowhere"],
    "postal_code": ["02110", "2110"],
    "weight": ["2", "2.0 lb", "0", "", "151"],
    "length": ["", "10", "10 ft"],
    "width": ["", "8"],
    "height": ["", "4"],
    "declared_value": ["", "20.00", "20.00 EUR"],
    "currency": ["", "EUR", "USD"],
    "packages": ["", "2", "201"],
}
ORDERS = st.fixed_dictionaries({field: st.sampled_from(texts) for field, texts in CHOICES.items()})
DEFAULTS = st.sampled_from([Defaults(), Defaults(weight=Decimal(3), size=Dimensions(length=1, width=1, height=1))])
WORDS = st.sampled_from(["", "1", "1.0", "lb", "kg", "LB", " 1", "1 kg", "x", "yes", "True"])
COMPILED = parse_mapping(
    "words",
    b"""
fields:
  recipient_name: '{{ note ~ "" }}'
  address_1: '{{ unit ~ amount }}'
  city: '{{ amount ~ unit }}'
  weight: '{{ row["amount"] | weight(row["unit"] or "lb") }}'
  description: '{% if row["unit"] %}{{ row["note"] | upper }}{% endif %}'
  residential: '{{ row["note"] | yes_no }}'
""",
)
TEXTS = st.text(st.sampled_from("ab|  \t\n\u200b\u00a0ß"), max_size=4)


def mapped(texts: dict[str, str], defaults: Defaults) -> Shipment | tuple[object, ...]:
    try:
        return map_order(Fields(texts), senders=Senders(SENDER), service=None, defaults=defaults).shipment
    except RowInvalidError as error:
        return error.errors


@given(st.lists(st.tuples(ORDERS, DEFAULTS), min_size=2, max_size=6))
def test_an_order_becomes_what_it_would_without_those_before_it(orders: list[tuple[dict[str, str], Defaults]]) -> None:
    one_by_one = []
    for texts, defaults in orders:
        parcels._PACKAGES.clear()
        reading._PARSED.clear()
        one_by_one.append(mapped(texts, defaults))
    assert [mapped(texts, defaults) for texts, defaults in orders] == one_by_one


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=2, max_size=8))
def test_a_row_is_rendered_as_it_would_be_without_those_before_it(rows: list[tuple[str, str, str]]) -> None:
    values = [dict(zip(("amount", "unit", "note"), row, strict=True)) for row in rows]
    one_by_one = []
    for each in values:
        COMPILED._plans.clear()
        one_by_one.append(COMPILED.render(each))
    assert [COMPILED.render(each) for each in values] == one_by_one


def test_what_goods_are_worth_is_parsed_once_for_rows_that_say_the_same() -> None:
    goods = {
        "recipient_name": "Maya",
        "address_1": "418 Alder Court",
        "city": "Toronto",
        "state": "ON",
        "postal_code": "K1A 0B1",
        "country": "CA",
        "phone": "6135550100",
        "weight": "2",
        "customs_description": "Book",
        "customs_origin": "US",
        "customs_quantity": "1",
        "customs_value": "20.00",
    }
    sender = SENDER.model_copy(update={"phone": "5125550100"})
    reading._PARSED.clear()
    map_order(Fields(goods), senders=Senders(sender), service=None)
    known = len(reading._PARSED)
    map_order(Fields(goods), senders=Senders(sender), service=None)
    assert len(reading._PARSED) == known
    dearer = map_order(Fields(goods | {"customs_value": "21.00"}), senders=Senders(sender), service=None).shipment
    assert dearer.customs is not None
    assert dearer.customs.lines[0].unit_value == Decimal("21.00")


@given(ORDERS)
def test_a_shipment_is_the_one_that_its_model_validates(texts: dict[str, str]) -> None:
    shipment = mapped(texts, Defaults())
    if isinstance(shipment, Shipment):
        validated = Shipment.model_validate(shipment.model_dump())
        assert shipment == validated
        assert shipment.model_dump_json() == validated.model_dump_json()


@given(st.lists(TEXTS))
def test_texts_that_are_clean_stay_as_they_are(texts: list[str]) -> None:
    if are_clean(texts):
        assert [clean(text) for text in texts] == texts


@pytest.mark.parametrize("texts", [[], ["", "Maya", "418 Alder Court"], ["Zoë", "–"]])
def test_usual_texts_are_clean(texts: list[str]) -> None:
    assert are_clean(texts)


@pytest.mark.parametrize("text", [" a", "a ", "a  b", "a\tb", "a\u200bb", "a\u00a0b"])
def test_a_text_that_has_to_be_cleaned_is_found_among_others(text: str) -> None:
    assert not are_clean(["Maya", text, "Boston"])


@given(st.lists(st.text(max_size=5), min_size=4, max_size=4))
def test_a_checksum_is_over_names_and_texts_each_behind_its_length(texts: list[str]) -> None:
    columns = ("name", "Tracking Number", "straße", "zip")
    told = [("name", texts[0]), ("straße", texts[2]), ("zip", texts[3])]
    encoded = "".join(f"{len(name)}:{name}{len(text)}:{text}" for name, text in told)
    expected = hashlib.sha256(encoded.encode()).hexdigest()
    assert row_checksum(dict(zip(columns, texts, strict=True))) == expected
    assert RowFormat(columns).row((1, 0, *texts)).checksum == expected
