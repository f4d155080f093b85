"""Numbers, amounts and codes of goods: pure functions from what people write to what an invoice needs.

Like the filters they raise FieldValueError with a reason where they cannot tell, and never guess.
"""

from __future__ import annotations

import re
from decimal import Decimal

from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.text import normalised
from shared.shipping import Money, Signature, Terms

_AMOUNT = re.compile(r"(?:([A-Z]{3}|[$€£])\s*)?([0-9]{1,12}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})(?:\s*([A-Z]{3}|[$€£]))?")
_SYMBOLS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
}
_WHOLE = re.compile(r"([0-9]{1,7})(?:\.0+)?")
_HS_CODE = re.compile(r"[0-9]{6}[A-Z0-9]{0,9}")
_HS_CODE_AS_NUMBER = re.compile(r"([0-9]{6,15})\.0+")
_SHORTEST_HS_CODE = 6
_HIGHEST_DECLARED_VALUE = 50_000  # UPS, terms and conditions of service

_SIGNATURES = {
    **dict.fromkeys(("none", "no", "n", "false", "f", "0", "not required", "no signature"), Signature.NONE),
    **dict.fromkeys(
        (
            "direct",
            "yes",
            "y",
            "true",
            "t",
            "1",
            "x",
            "required",
            "signature",
            "signature required",
            "direct signature",
        ),
        Signature.DIRECT,
    ),
    **dict.fromkeys(("adult", "adult signature", "adult signature required", "21", "21+"), Signature.ADULT),
}
_SIGNATURE_WORDS = {normalised(word): signature for word, signature in _SIGNATURES.items()}

# UPS Shipping v2409, InternationalForms/ReasonForExport; it takes any other word as it is.
_REASONS = frozenset({"SALE", "GIFT", "SAMPLE", "RETURN", "REPAIR", "INTERCOMPANYDATA"})


def amount(value: str, currency: str) -> Money:
    """An amount of money in `currency`, whose code or sign may stand before or behind the number."""
    text = value.strip().upper()
    if text.startswith(("-", "\u2212")):
        raise FieldValueError(value, "it is negative")
    if "," in text:
        raise FieldValueError(value, "a comma may mean thousands or a decimal; write a decimal point")
    if not (match := _AMOUNT.fullmatch(text)):
        raise FieldValueError(value, "an amount is a number and perhaps a currency, such as 24.50 USD")
    for named in filter(None, (match[1], match[3])):
        if currency not in _SYMBOLS.get(named, {named}):
            raise FieldValueError(value, f"it is in {named}, and the currency is {currency}")
    number = Decimal(match[2])
    if not number:
        raise FieldValueError(value, "it must be more than zero")
    return Money(amount=number, currency=currency)


def cents(value: str, currency: str) -> Money:
    """An amount of money with at most two decimals."""
    money = amount(value, currency)
    if money.amount != round(money.amount, 2):
        raise FieldValueError(value, "it has more than two decimals")
    return money


def declared_value(value: str, currency: str) -> Money:
    """What a parcel is declared to be worth, at most what the carrier takes."""
    money = cents(value, currency)
    if money.currency == "USD" and money.amount > _HIGHEST_DECLARED_VALUE:
        raise FieldValueError(value, f"at most {_HIGHEST_DECLARED_VALUE:,} USD for a parcel")
    return money


def currency_code(value: str) -> str:
    """A currency by its ISO 4217 code."""
    code = value.strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise FieldValueError(value, "a currency is written by its ISO code, such as USD")
    return code


def whole_number(value: str) -> int:
    """A number of pieces, at least one."""
    match = _WHOLE.fullmatch(value.strip())
    if not match or not int(match[1]):
        raise FieldValueError(value, "it must be a whole number, at least 1")
    return int(match[1])


def hs_code(value: str) -> str:
    """A number of the Harmonized System, or of a tariff that has more digits, without its points: ``490199``."""
    text = value.strip().removeprefix("'").upper()
    if match := _HS_CODE_AS_NUMBER.fullmatch(text):
        text = match[1]
    code = re.sub(r"[\s.\-]", "", text)
    if code.isascii() and code.isdigit() and len(code) == _SHORTEST_HS_CODE - 1:
        raise FieldValueError(value, "5 digits; a leading zero may have been lost")
    if not _HS_CODE.fullmatch(code):
        raise FieldValueError(value, "an HS code has 6 to 15 digits, such as 4901.99")
    return code


def signature(value: str) -> Signature:
    """Whose signature is asked for: none, direct or adult."""
    try:
        return _SIGNATURE_WORDS[normalised(value)]
    except KeyError:
        raise FieldValueError(value, "use none, direct or adult") from None


def terms(value: str) -> Terms:
    """The terms of the sale by their Incoterms code."""
    try:
        return Terms(value.strip().upper())
    except ValueError:
        raise FieldValueError(value, f"there are no such terms; use one of {', '.join(Terms)}") from None


def reason_for_export(value: str) -> str:
    """Why goods leave the country: UPS's word where it is one of them, else as it is written."""
    word = normalised(value).upper()
    return word if word in _REASONS else value
