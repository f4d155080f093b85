"""Texts that are longer than the label has room for: what names nobody and no place is cut, and said to be."""

import pytest

from services.coordinator.mapping import Fields, RowInvalidError, Senders, map_order
from services.coordinator.mapping.shipment import MappedOrder
from shared.contracts.warning import WarningCode
from tests.unit.test_mapping_shipment import GOOD, SENDER


def mapped(**changes: str) -> MappedOrder:
    return map_order(Fields(GOOD | changes), senders=Senders(SENDER), service=None)


@pytest.mark.parametrize(
    ("field", "text", "limit", "kept"),
    [
        ("company", "The Old Curiosity Shop and Emporium of Fine Goods", 35, "The Old Curiosity Shop and Emporium"),
        ("description", "Handmade woollen socks " * 3, 50, "Handmade woollen socks Handmade woollen socks Hand"),
    ],
)
def test_a_text_that_is_cut_is_shown_as_it_ships(field: str, text: str, limit: int, kept: str) -> None:
    made = mapped(**{field: text})
    (warning,) = made.warnings
    assert (warning.code, warning.field, warning.suggestion) == (WarningCode.TEXT_CUT, field, "")
    assert warning.message == (
        f"{field} has {len(text.strip())} characters; the label has room for {limit}, so it is cut to '{kept}'."
    )
    shipped = made.shipment.recipient.company if field == "company" else made.shipment.description
    assert shipped == kept


def test_a_reference_gives_way_to_the_order_number_and_the_cost_centre() -> None:
    made = mapped(order_number="N" * 10, reference="Ring the bell twice, please", cost_centre="C" * 4)
    assert made.shipment.own_reference == "NNNNNNNNNN / Ring the bell t / CCCC"
    assert [warning.field for warning in made.warnings] == ["reference"]
    full = mapped(order_number="N" * 33, reference="Ring")
    assert full.shipment.own_reference == "N" * 33
    assert full.warnings[0].message == "reference has 4 characters; the label has room for 0, so it is left out."


@pytest.mark.parametrize("field", ["recipient_name", "address_1", "city", "email", "order_number", "cost_centre"])
def test_what_names_somebody_a_place_or_an_order_is_never_cut(field: str) -> None:
    with pytest.raises(RowInvalidError) as caught:
        mapped(**{field: "x" * 60})
    assert [error.field for error in caught.value.errors] == [field]


def test_a_company_that_stands_for_the_name_is_never_cut() -> None:
    with pytest.raises(RowInvalidError) as caught:
        mapped(recipient_name="", company="x" * 36)
    assert "company" in [error.field for error in caught.value.errors]


def test_a_cut_text_may_hold_no_control_character_either() -> None:
    with pytest.raises(RowInvalidError):
        mapped(company="a\x07b")
