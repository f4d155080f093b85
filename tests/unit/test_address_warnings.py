"""What the carrier's directory says of an address, as warnings."""

from __future__ import annotations

from typing import Any

import pytest

from services.coordinator.pricing.address_warnings import address_warnings
from shared.contracts.addresses import AddressFinding, KnownAddress
from shared.shipping import Address

HOME = Address(
    lines=("418 Alder Court", "Apt 3B"), city="Somerville", state="MA", postal_code="02143", residential=True
)
AS_KNOWN = {"lines": ("418 ALDER CT APT 3B",), "city": "SOMERVILLE", "state": "MA", "postal_code": "02143-1234"}


def told(address: Address = HOME, **finding: Any) -> list[tuple[str, str, str]]:
    return [
        (warning.code, warning.field, warning.suggestion)
        for warning in address_warnings(address, AddressFinding(**finding))
    ]


def known(**changes: Any) -> KnownAddress:
    return KnownAddress(**AS_KNOWN | changes)


def test_an_address_that_is_written_otherwise_is_no_other_address() -> None:
    assert told(verdict="valid", known=known(), residential=True) == []
    spanish = Address(lines=("14 Cañada Vista St.",), city="La Cañada", state="CA", postal_code="91011")
    as_known = KnownAddress(lines=("14 CANADA VISTA ST",), city="LA CANADA", state="CA", postal_code="91011")
    assert told(spanish, verdict="valid", known=as_known) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lines": ("481 ALDER CT APT 3B",)}, "address_1"),
        ({"city": "MEDFORD"}, "city"),
        ({"state": "NH"}, "state"),
        ({"postal_code": "02144"}, "postal_code"),
    ],
)
def test_another_address_is_suggested_with_the_field_that_differs(change: dict[str, Any], field: str) -> None:
    suggestion = str(known(**change))
    assert told(verdict="valid", known=known(**change)) == [("address_suggested", field, suggestion)]


def test_a_place_alone_says_nothing_of_the_street() -> None:
    assert told(verdict="valid", known=known(lines=())) == []


def test_an_unknown_address_says_so() -> None:
    assert told(verdict="unknown") == [("address_unknown", "address_1", "")]


def test_of_several_like_it_the_likeliest_is_suggested_unless_it_is_the_same() -> None:
    other = known(lines=("418 N ALDER CT APT 3B",))
    assert told(verdict="ambiguous", known=other) == [("address_suggested", "address_1", str(other))]
    assert told(verdict="ambiguous", known=known()) == [("address_unknown", "address_1", "")]


@pytest.mark.parametrize(
    ("says", "counts_as", "warned"),
    [
        (True, True, []),
        (False, False, []),
        (False, None, []),
        (False, True, [("residential", "residential", "yes")]),
        (True, False, [("residential", "residential", "no")]),
    ],
)
def test_another_kind_of_address_is_told(says: bool, counts_as: bool | None, warned: list[Any]) -> None:
    address = HOME.model_copy(update={"residential": says})
    assert told(address, verdict="valid", known=known(), residential=counts_as) == warned


def test_puerto_rico_is_a_state_to_some_and_a_country_to_others() -> None:
    address = Address(lines=("1 Calle Fortaleza",), city="San Juan", postal_code="00901", country="PR")
    found = KnownAddress(lines=("1 CALLE FORTALEZA",), city="SAN JUAN", state="PR", postal_code="00901")
    assert told(address, verdict="valid", known=found) == []
