"""ZIP codes that a sheet keeps as numbers, and so without their leading zeros."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.sources.excel_values import Value

_POSTAL = re.compile(r"\b(?:zip ?code|zip|postal ?code|post ?code|postal)\b")
_COUNTRY = re.compile(r"\bcountry(?: ?code)?\b")
_US = frozenset({"", "us", "usa", "united states", "united states of america", "unitedstates", "840"})
_ZIP = 5  # digits
_SHOWN = 5  # rows named in a note


@dataclass
class ZipColumns:
    """The columns of ZIP codes among `columns`, and in which rows zeros were restored."""

    columns: Sequence[str]
    restored: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find each column of ZIP codes and the column that says its country."""
        names = [re.sub(r"[^a-z0-9]+", " ", name.lower()).strip() for name in self.columns]
        countries = {_COUNTRY.sub("", name).strip(): index for index, name in enumerate(names) if _COUNTRY.search(name)}
        anywhere = next(iter(countries.values()), None)
        self._places = [
            (index, countries.get(_POSTAL.sub("", name).strip(), countries.get("", anywhere)))
            for index, name in enumerate(names)
            if _POSTAL.search(name)
        ]

    def restore(self, row: int, values: Sequence[Value], texts: list[str]) -> None:
        """Give a row's ZIP codes that are numbers their five or nine digits, unless the row is of another country.

        `texts` is changed in place.
        """
        for index, country in self._places:
            value = values[index]
            if isinstance(value, bool) or not isinstance(value, int | float) or not _is_short_zip(texts[index]):
                continue
            if country is not None and re.sub(r"[^a-z0-9 ]", "", texts[country].lower()).strip() not in _US:
                continue
            digits = texts[index]
            texts[index] = digits.zfill(_ZIP) if len(digits) < _ZIP else f"{digits[:-4].zfill(_ZIP)}-{digits[-4:]}"
            self.restored.setdefault(self.columns[index], []).append(row)

    def notes(self) -> list[str]:
        """What a person should know: a sentence for each column."""
        return [
            f"Column {column} has ZIP codes stored as numbers; leading zeros were restored in {shown_rows(rows)}."
            for column, rows in self.restored.items()
        ]


def _is_short_zip(text: str) -> bool:
    # Four digits at most lost one or two zeros; seven or eight are a ZIP+4 that did.
    return text.isdigit() and text != "0" and (len(text) in {3, 4, 7, 8})


def shown_rows(rows: list[int]) -> str:
    """Rows by their numbers, the first few of many."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"rows {', '.join(map(str, rows[:_SHOWN]))}{more}"
