"""Whether a phone number can be one of its country's, by phonenumbers; what it may have been meant to be. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    country_code_for_region,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    parse,
    truncate_too_long_number,
)

from shared.contracts.warning import RowWarning, WarningCode

_NORTH_AMERICA = 1
_NORTH_AMERICAN_DIGITS = 10
_AREA_AND_EXCHANGE = 6
# What is dialled before a country's code: most of the world's prefix, and North America's.
_ABROAD = ("00", "011")
_REASONS = {
    ValidationResult.TOO_SHORT: "it is too short",
    ValidationResult.TOO_LONG: "it is too long",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "it has no area code",
}


def phone_warnings(digits: str, country: str) -> tuple[RowWarning, ...]:
    """A warning where no phone of `country` (ISO 3166-1) or any other has this number, written without a sign.

    Nothing for a number that is blank, and in a country without a numbering plan.
    """
    code = _country_code(country)
    if not digits or not code or _is_valid(digits, country, code):
        return ()
    return (_warning(digits, country),)


def _is_valid(digits: str, country: str, code: int) -> bool:
    national = digits.removeprefix("1") if code == _NORTH_AMERICA else ""
    if len(national) == _NORTH_AMERICAN_DIGITS:
        return _is_area_in_use(national[:_AREA_AND_EXCHANGE])
    return any(is_valid_number(number) for number in _readings(digits, country))


@lru_cache(maxsize=512)
def _country_code(country: str) -> int:
    return country_code_for_region(country)


@lru_cache(maxsize=65536)
def _is_area_in_use(area_and_exchange: str) -> bool:
    """Whether North America has numbers that begin so: the last four digits are free in every plan there."""
    return is_valid_number(parse(f"{area_and_exchange}0100", "US"))


def _readings(digits: str, country: str) -> Iterator[PhoneNumber]:
    """The number as it is dialled in the country, and as one that begins with the code of any."""
    for text in (digits, f"+{digits}"):
        try:
            yield parse(text, country)
        except NumberParseException:
            continue


def _warning(digits: str, country: str) -> RowWarning:
    number = next(_readings(digits, country), None)
    reason = "nobody has such a number"
    if number is not None:
        reason = _REASONS.get(is_possible_number_with_reason(number), reason)
    return RowWarning(
        code=WarningCode.PHONE_UNUSUAL,
        field="phone",
        message=f"No phone in {country} has the number {digits}: {reason}.",
        suggestion=_suggestion(digits, country),
    )


def _suggestion(digits: str, country: str) -> str:
    """A valid number that this one may have been: with the prefix for calls abroad dialled, or an extension behind."""
    for prefix in _ABROAD:
        if digits.startswith(prefix):
            for number in _readings(digits.removeprefix(prefix), "ZZ"):
                if is_valid_number(number):
                    return format_number(number, PhoneNumberFormat.INTERNATIONAL)
    for number in _readings(digits, country):
        if truncate_too_long_number(number):
            return format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return ""
