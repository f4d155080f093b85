"""The text of a cell, from the value that the reader gives for it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite

Value = str | float | bool | datetime | date | time | timedelta

_EXACT = 1e15  # Excel shows 15 digits of a number


def text_of(value: Value) -> str:
    """The text of a value: dates and times in ISO 8601, numbers to 15 digits, without exponent.

    A time of midnight is left out of a date; a duration is hours, minutes and seconds. Where a cell shows an error, its
    value is ''.
    """
    if isinstance(value, str):
        return value.replace("\0", "") if "\0" in value else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return _number(value)
    return _duration(value) if isinstance(value, timedelta) else _moment(value)


def _moment(value: date | time) -> str:
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | time):
        return value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
    return value.isoformat()


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else ''}{hours}:{rest // 60:02}:{rest % 60:02}"


def _number(value: float) -> str:
    if not isfinite(value):
        return ""
    if float(value).is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return format(Decimal(f"{value:.15g}"), "f")
