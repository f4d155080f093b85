"""Services that the carrier's prices choose for each row: the cheapest, or the cheapest that arrives in time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from services.coordinator.mapping.problems import FieldValueError

_CHEAPEST = "cheapest"
_BY = re.compile(r"cheapest-by:(\d{4}-\d{2}-\d{2})", re.ASCII)


@dataclass(frozen=True)
class ServiceChoice:
    """The cheapest service, of those by which a parcel that leaves today arrives `by` a day, where there is one."""

    by: date | None = None


def service_choice(text: str) -> ServiceChoice | None:
    """The choice that `cheapest` or `cheapest-by:2026-11-25` stands for; None for any other text.

    Raises FieldValueError where the day is none.
    """
    wanted = text.strip().lower()
    if wanted == _CHEAPEST:
        return ServiceChoice()
    if not wanted.startswith(f"{_CHEAPEST}-by"):
        return None
    found = _BY.fullmatch(wanted)
    try:
        if found:
            return ServiceChoice(date.fromisoformat(found[1]))
    except ValueError:
        found = None
    raise FieldValueError(text, "a day is written as in cheapest-by:2026-11-25")
