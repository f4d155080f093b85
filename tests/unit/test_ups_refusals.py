"""UPS's codes as the errors a person reads: each known fault has a code of its own, the others keep UPS's words."""

import pytest

from services.shipper.carriers.ups.answers import Refused
from services.shipper.carriers.ups.refusals import kind_of, rejected
from tests.unit import ups_bodies as ups


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("120100", "E-3030"),
        ("120124", "E-3034"),
        ("120207", "E-3031"),
        ("120302", "E-3032"),
        ("111285", "E-3033"),
        ("111210", "E-3034"),
        ("120500", "E-3035"),
        ("111100", "E-3035"),
        ("120603", "E-3036"),
        ("120541", "E-3037"),
        ("120542", "E-3037"),
        ("121000", "E-3038"),
        ("128099", "E-3001"),
        ("1201", "E-3001"),
        ("1", "E-3001"),
        ("", "E-3001"),
    ],
)
def test_a_code_of_ups_says_what_was_refused(code: str, kind: str) -> None:
    assert kind_of(code).code == kind


@pytest.mark.parametrize("code", ["120207", "999999"])
def test_the_carriers_own_code_and_words_are_kept_and_end_with_one_full_stop(code: str) -> None:
    message = rejected(Refused(code, "Missing or invalid ship to postal code."), ups.shipment()).error.message
    assert message.endswith(f"({code}): Missing or invalid ship to postal code.")
