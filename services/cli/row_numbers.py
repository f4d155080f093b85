"""Row numbers as a person types and reads them: `3`, `1-47`; `1–47, 49`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_RANGE = re.compile(r"(?P<first>[1-9]\d{0,8})(-(?P<last>[1-9]\d{0,8}))?", re.ASCII)
_MOST = 1_000_000


def parse_row_numbers(texts: Iterable[str]) -> tuple[int, ...]:
    """The rows that `texts` name, each once, in order. Raises ValueError for what is no number or range from 1."""
    numbers: set[int] = set()
    for text in texts:
        found = _RANGE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is neither a row's number nor a range such as 1-47")
        first = int(found["first"])
        last = int(found["last"] or first)
        if last < first or last - first >= _MOST:
            raise ValueError(f"{text} is no range of rows")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def ranges(numbers: Iterable[int]) -> str:
    """`1–47, 49, 51–52`: ascending numbers, runs of them as ranges."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def rows_in_words(numbers: Iterable[int]) -> str:
    """`Row 3` or `Rows 1–47, 49`."""
    listed = list(numbers)
    return f"{'Row' if len(listed) == 1 else 'Rows'} {ranges(listed)}"
