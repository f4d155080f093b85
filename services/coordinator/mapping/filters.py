"""Filters of the trade: pure functions from what people write to what a label needs.

Each takes text that is not blank, returns the value in its one form, and raises FieldValueError with a reason where it
cannot tell: none of them guesses. Each gives its own result back unchanged, so filtering twice does no harm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from services.coordinator.mapping.countries import COUNTRY_CODES, WITH_ZIP_CODES
from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.service_names import SERVICE_LEVELS
from services.coordinator.mapping.states import STATE_CODES
from services.coordinator.mapping.text import normalised
from shared.shipping import ServiceLevel

_ZIP = re.compile(r"'?([0-9]{5})[\s\-\u2010-\u2015]*([0-9]{4})?")
_ZIP_LENGTHS = (5, 9)
_CANADIAN = re.compile(r"'?([A-CEGHJ-NPR-TVXY][0-9][A-CEGHJ-NPR-TV-Z])[\s\-]*([0-9][A-CEGHJ-NPR-TV-Z][0-9])")
_POSTAL_CODE_LENGTH = 9  # UPS Shipping v2409, PostalCode

_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})"
_WEIGHT = re.compile(rf"{_NUMBER}\s*([a-z]*)\.?")
_POUNDS_AND_OUNCES = re.compile(rf"{_NUMBER}\s*(lbs?|pounds?)\.?,?\s*{_NUMBER}\s*(oz|ounces?)\.?")
_INCHES = re.compile(rf"{_NUMBER}\s*(?:in|inch|inches|\"|″)?\.?")
_KILOGRAM = 1 / Fraction("0.45359237")  # in pounds, exact by the definition of the pound of 1959
_POUNDS_PER_UNIT = {
    **dict.fromkeys(("", "lb", "lbs", "pound", "pounds"), Fraction(1)),
    **dict.fromkeys(("oz", "ounce", "ounces"), Fraction(1, 16)),
    **dict.fromkeys(("kg", "kgs", "kilogram", "kilograms"), _KILOGRAM),
    **dict.fromkeys(("g", "gram", "grams"), _KILOGRAM / 1000),
}

_PHONE = re.compile(r"'?\+?[0-9\s().\-/\u2010-\u2015]+")
_PHONE_EXTENSION = re.compile(r"[\s,;]*(?:extension|ext|x|#)\.?\s*[0-9]+$", re.IGNORECASE)
_PHONE_AS_NUMBER = re.compile(r"([0-9]{7,15})\.0+")
_NO_DIGITS = re.compile(r"[^0-9]+")
_PHONE_DIGITS = range(7, 16)  # at most 15 by UPS Shipping v2409 and ITU-T E.164

_YES = frozenset({"yes", "y", "true", "t", "1", "x", "on"})
_NO = frozenset({"no", "n", "false", "f", "0", "off"})


@lru_cache(maxsize=8192)
def postal_code(value: str, country: str = "US") -> str:
    """The postal code as `country` (a name or code) writes it.

    ZIP codes are ``02134`` or ``94107-1234``, Canadian codes ``K1A 0B1``; others are trimmed and in capitals. A digit
    is never added: ``2134`` is refused.
    """
    code = country_code(country) if country else "US"
    text = " ".join(value.upper().split())
    if code in WITH_ZIP_CODES:
        return _zip_code(value, text)
    if code == "CA":
        if not (match := _CANADIAN.fullmatch(text)):
            raise FieldValueError(value, "a Canadian postal code looks like K1A 0B1")
        return f"{match[1]} {match[2]}"
    text = text.removeprefix("'")
    if len(text) > _POSTAL_CODE_LENGTH:
        raise FieldValueError(value, f"{len(text)} characters; at most {_POSTAL_CODE_LENGTH}")
    return text


def _zip_code(value: str, text: str) -> str:
    if match := _ZIP.fullmatch(text):
        return f"{match[1]}-{match[2]}" if match[2] else match[1]
    digits = text.replace("-", "").removeprefix("'")
    if not (digits.isascii() and digits.isdigit()):
        raise FieldValueError(value, "a ZIP code is 5 digits, or 5 and 4")
    if len(digits) in {length - 1 for length in _ZIP_LENGTHS}:
        raise FieldValueError(value, f"{len(digits)} digits; a leading zero may have been lost")
    if len(digits) in {length - 2 for length in _ZIP_LENGTHS}:
        raise FieldValueError(value, f"{len(digits)} digits; leading zeros may have been lost")
    raise FieldValueError(value, f"{len(digits)} digits; a ZIP code has 5 or 9")


@lru_cache(maxsize=4096)
def pounds(value: str, unit: str = "lb") -> Decimal:
    """A weight in pounds, rounded up to a tenth.

    `value` is a number, with its own unit (``2.5 kg``, ``3 lb 4 oz``) or in `unit`: lb, oz, kg or g. Exact: no binary
    fraction takes part.
    """
    text = value.strip().casefold()
    if match := _POUNDS_AND_OUNCES.fullmatch(text):
        exact = Fraction(match[1]) + Fraction(match[3]) / 16
    elif match := _WEIGHT.fullmatch(text):
        per_unit = _POUNDS_PER_UNIT.get(match[2] or normalised(unit))
        if per_unit is None:
            raise FieldValueError(value, f"{match[2] or unit} is no unit of weight; use lb, oz, kg or g")
        exact = Fraction(match[1]) * per_unit
    else:
        raise FieldValueError(value, _why_no_number(text, "a weight is a number and perhaps lb, oz, kg or g"))
    if not exact:
        raise FieldValueError(value, "it must be more than zero")
    return Decimal(math.ceil(exact * 10)).scaleb(-1)


def inches(value: str) -> Decimal:
    """A length in inches; ``in`` or ``"`` may follow the number."""
    text = value.strip().casefold()
    if not (match := _INCHES.fullmatch(text)):
        raise FieldValueError(value, _why_no_number(text, "a length is a number of inches"))
    length = Decimal(match[1])
    if not length:
        raise FieldValueError(value, "it must be more than zero")
    return length


def _why_no_number(text: str, otherwise: str) -> str:
    if text.startswith(("-", "\u2212")):
        return "it is negative"
    if "," in text:
        return "a comma may mean thousands or a decimal; write a decimal point"
    return otherwise


def phone(value: str) -> str:
    """The number's digits, 7 to 15; a leading + and an extension are left out."""
    text = value.strip()
    if match := _PHONE_AS_NUMBER.fullmatch(text):
        return match[1]
    text = _PHONE_EXTENSION.sub("", text)
    if not _PHONE.fullmatch(text):
        raise FieldValueError(value, "a phone number has digits, spaces and ( ) . - / only")
    digits = _NO_DIGITS.sub("", text)
    if len(digits) not in _PHONE_DIGITS:
        raise FieldValueError(value, f"{len(digits)} digits; a phone number has 7 to 15")
    return digits


@lru_cache(maxsize=4096)
def state_code(value: str, country: str = "US") -> str:
    """The code of a state of the United States or a province of Canada, from its name or code.

    ``US-CA`` and ``CA-ON`` (ISO 3166-2) are understood. In other countries the text stays as it is.
    """
    code = country_code(country) if country else "US"
    states = STATE_CODES.get(code)
    if states is None:
        return value.strip()
    name = normalised(value)
    found = states.get(name)
    if found is None and value.strip().upper().startswith(f"{code}-"):
        found = states.get(normalised(value.strip()[3:]))
    if found is None:
        kind = "province" if code == "CA" else "state"
        raise FieldValueError(value, f"there is no such {kind} in {code}")
    return found


@lru_cache(maxsize=4096)
def country_code(value: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country, from its name or code."""
    try:
        return COUNTRY_CODES[normalised(value)]
    except KeyError:
        raise FieldValueError(value, "there is no such country; use its ISO code, such as US") from None


@lru_cache(maxsize=4096)
def service_level(value: str) -> ServiceLevel:
    """The service by its name or code: ``UPS Ground``, ``03``, ``2nd Day Air``, ``next_day_air``."""
    try:
        return SERVICE_LEVELS[normalised(value)]
    except KeyError:
        raise FieldValueError(value, "there is no such service; some are ground, 2nd_day_air, next_day_air") from None


@lru_cache(maxsize=4096)
def yes_no(value: str, yes: str = "yes", no: str = "no") -> bool:
    """Whether the text says yes; `yes` and `no` are one more word for each."""
    word = normalised(value)
    if word in _YES or word == normalised(yes):
        return True
    if word in _NO or word == normalised(no):
        return False
    raise FieldValueError(value, f"use {yes} or {no}")


def _for_templates(function: Callable[..., object]) -> Callable[..., object]:
    """`function` as a template's filter: blank stays blank, since what is missing is told later, once."""

    def apply(value: object, *arguments: object, **named: object) -> object:
        text = str(value).strip()
        texts = {name: str(argument) for name, argument in named.items()}
        return function(text, *map(str, arguments), **texts) if text else ""

    return apply


TEMPLATE_FILTERS: Mapping[str, Callable[..., object]] = {
    "zip": _for_templates(postal_code),
    "weight": _for_templates(pounds),
    "inches": _for_templates(inches),
    "phone": _for_templates(phone),
    "state": _for_templates(state_code),
    "country": _for_templates(country_code),
    "service": _for_templates(service_level),
    "yes_no": _for_templates(yes_no),
}
