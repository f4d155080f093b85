"""What countries' own rules say of addresses: warnings with a suggestion, for a person to judge."""

import pytest

from services.coordinator.intake.address_rules import rule_warnings
from shared.contracts.warning import WarningCode
from tests.samples import _CITIES

MISMATCH, UNUSUAL, INCOMPLETE = (
    WarningCode.ZIP_STATE_MISMATCH,
    WarningCode.POSTAL_CODE_UNUSUAL,
    WarningCode.ADDRESS_INCOMPLETE,
)


@pytest.mark.parametrize(
    ("country", "state", "postal_code"),
    [
        *(("US", state, postal_code) for _, state, postal_code in _CITIES),
        ("US", "NY", "06390"),  # Fishers Island, by way of Connecticut
        ("US", "MA", "05501"),
        ("US", "AE", "09012"),
        ("US", "PR", "00901-1234"),
        ("PR", "PR", "00901"),
        ("CA", "ON", "K1A 0B1"),
        ("GB", "", "SW1A 1AA"),
        ("DE", "", "10115"),
        ("ES", "M", "28039"),
        ("ES", "Madrid", "28039"),
        ("IT", "MI", "20121"),
        ("AO", "", ""),
        ("AQ", "", ""),
        ("XK", "", "10000"),
    ],
)
def test_an_address_by_the_rules_has_no_warning(country: str, state: str, postal_code: str) -> None:
    assert rule_warnings(country, state, postal_code) == ()


@pytest.mark.parametrize(
    ("address", "code", "field", "message", "suggestion"),
    [
        (("US", "MA", "94107"), MISMATCH, "state", "Postal code 94107 is not one of MA.", "CA"),
        (("CA", "ON", "V5K 0A1"), MISMATCH, "state", "Postal code V5K 0A1 is not one of ON.", "BC"),
        (("US", "CA", "00000"), MISMATCH, "state", "Postal code 00000 is not one of CA.", ""),
        (
            ("DE", "", "D-10115"),
            UNUSUAL,
            "postal_code",
            "D-10115 does not look like a postal code of DE, such as 26133.",
            "10115",
        ),
        (
            ("GB", "", "1234"),
            UNUSUAL,
            "postal_code",
            "1234 does not look like a postal code of GB, such as EC1Y 8SY.",
            "",
        ),
        (
            ("IT", "", "20121"),
            INCOMPLETE,
            "state",
            "Addresses in IT have a state or province; this one has none.",
            "MI",
        ),
    ],
)
def test_what_is_unusual_is_told_with_a_suggestion(
    address: tuple[str, str, str], code: WarningCode, field: str, message: str, suggestion: str
) -> None:
    (warning,) = rule_warnings(*address)
    assert (warning.code, warning.field, warning.message, warning.suggestion) == (code, field, message, suggestion)
