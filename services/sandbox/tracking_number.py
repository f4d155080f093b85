"""UPS's 1Z tracking numbers: `1Z`, shipper number, service, serial number, check digit."""

from __future__ import annotations

SERIALS = 10_000_000
_PREFIX = "1Z"
_LENGTH = 18


def tracking_number(shipper_number: str, service: str, serial: int) -> str:
    """The number of one package: `shipper_number` has 6 characters, `service` 2 digits; `serial` counts modulo 10^7."""
    body = f"{shipper_number.upper()}{service}{serial % SERIALS:07d}"
    return f"{_PREFIX}{body}{check_digit(body)}"


def check_digit(body: str) -> int:
    """The check digit of the 15 characters between `1Z` and it; a letter counts as (code point - 63) modulo 10."""
    values = [int(character) if character.isdigit() else (ord(character) - 63) % 10 for character in body]
    total = sum(values[::2]) + 2 * sum(values[1::2])
    return -total % 10


def is_valid(number: str) -> bool:
    """Whether `number` has the form and check digit of a 1Z number."""
    alphanumeric = number.isascii() and number.isalnum() and number == number.upper()
    return (
        len(number) == _LENGTH
        and number.startswith(_PREFIX)
        and alphanumeric
        and number[-1] == str(check_digit(number[2:-1]))
    )
