from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.rates import SERVICES
from services.sandbox.tracking_number import SERIALS, is_valid, tracking_number

SHIPPER_NUMBERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=6, max_size=6)


def test_numbers_ups_published_are_valid() -> None:
    for number in ("1Z999AA10123456784", "1Z5R89390357567127", "1ZXX3150YW44070023", "1Z12345E6605272234"):
        assert is_valid(number)


def test_a_wrong_check_digit_length_or_prefix_is_not_valid() -> None:
    for number in ("1Z999AA10123456785", "1Z999AA1012345678", "2Z999AA10123456784", "1Z999aa10123456784", ""):
        assert not is_valid(number)


@given(SHIPPER_NUMBERS, st.sampled_from(sorted(SERVICES)), st.integers(0, 10**12))
def test_every_number_is_valid_and_tells_shipper_service_and_serial(
    shipper_number: str, service: str, serial: int
) -> None:
    number = tracking_number(shipper_number, service, serial)
    assert is_valid(number)
    assert number[2:17] == f"{shipper_number}{service}{serial % SERIALS:07d}"
