"""Amounts, times, states and names as a person reads them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from rich.text import Text

from shared.shipping import Money

_SIXTY = 60
_REPEATED = re.compile(r"\b(\w{8,})(?:, \1\b)+")

_STYLES = {
    "completed": "green",
    "shipped": "green",
    "written": "green",
    "running": "cyan",
    "in_flight": "cyan",
    "failed": "red",
    "in_doubt": "red",
    "cancelled": "dim",
    "skipped": "dim",
    "voided": "dim",
    "stopped": "dim",
}


def money(amount: Money | None) -> str:
    """`$1,234.50`, or the currency's code behind the amount where it is not dollars."""
    if amount is None:
        return "-"
    return f"${amount.amount:,.2f}" if amount.currency == "USD" else f"{amount.amount:,.2f} {amount.currency}"


def amount_in_words(amount: Money) -> str:
    """`1,234.50 USD`."""
    return f"{amount.amount:,.2f} {amount.currency}"


def service_name(service: str) -> str:
    """`2nd_day_air_am` as `2nd Day Air AM`."""
    words = (word.upper() if word == "am" else word[:1].upper() + word[1:] for word in service.split("_"))
    return " ".join(words)


def state(value: str) -> Text:
    """A state of a job, a row or a process, coloured by how it bodes."""
    return Text(value.replace("_", " "), style=_STYLES.get(value, "yellow"))


def duration(span: timedelta) -> str:
    """`8.4 s`, `2 min 05 s`, `1 h 02 min`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < _SIXTY:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _SIXTY)
    if minutes < _SIXTY:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // _SIXTY} h {minutes % _SIXTY:02} min"


def moment(at: datetime | None) -> str:
    """A moment in the person's own time zone, to the second."""
    return "-" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def without_repeats(answer: str) -> str:
    """A carrier's answer with a number that it names twice running (as shipment and as parcel) named once."""
    return _REPEATED.sub(r"\1", answer)


def plural(count: int, noun: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
