"""Orders that their platform says are settled: fulfilled or cancelled there, so left out instead of shipped. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.coordinator.mapping.headers import HeaderIndex
from services.coordinator.mapping.text import normalised

ANYTHING = "*"


@dataclass(frozen=True)
class LeaveOut:
    """One rule: for `reason` an order is left out whose rows say one of `texts` in the column of `header`.

    The texts are normalised; without any, whatever the column says will do.
    """

    reason: str
    header: str
    texts: frozenset[str] = frozenset()

    def holds_for(self, said: Iterable[str]) -> bool:
        """Whether it holds for an order whose rows say this in the column; rows that leave it blank do not count."""
        texts = {text for text in map(normalised, said) if text}
        return bool(texts) and (not self.texts or texts <= self.texts)


@lru_cache(maxsize=16)
def placed(rules: tuple[LeaveOut, ...], columns: tuple[str, ...]) -> tuple[tuple[LeaveOut, str], ...]:
    """The rules that a source with these columns has a column for, each with it."""
    index = HeaderIndex.of(columns)
    found = ((rule, index.column((rule.header,))) for rule in rules)
    return tuple((rule, column) for rule, column in found if column is not None)


def why_left_out(
    rules: tuple[LeaveOut, ...], rows: Sequence[Mapping[str, str]], included: Collection[str]
) -> str | None:
    """The reason of the first rule that holds for an order's rows, but for the reasons `included`; None of none."""
    if not rules:
        return None
    for rule, column in placed(rules, tuple(rows[0])):
        if rule.reason not in included and rule.holds_for(row[column] for row in rows):
            return rule.reason
    return None
