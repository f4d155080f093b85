"""The header of a file of orders: which columns there are, and where the tracking columns are or go."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.errors import DUPLICATE_HEADERS, HEADER_REFUSED, TallyError
from shared.sources.rows import TRACKING_COLUMNS, tracking_column


@dataclass(frozen=True)
class Header:
    """A header: `names` of all its fields without surrounding blanks; a field without a name is no column."""

    names: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(name for name in self.names if name)

    @cached_property
    def positions(self) -> tuple[int, ...]:
        """Where in a record each of the columns is, from 0."""
        return tuple(index for index, name in enumerate(self.names) if name)

    @cached_property
    def tracking(self) -> dict[str, int]:
        """Where the tracking columns are that it has; of several alike the first one counts."""
        found = [(tracking_column(name), index) for index, name in enumerate(self.names)]
        return {column: index for column, index in reversed(found) if column is not None}

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The tracking columns it lacks."""
        return tuple(column for column in TRACKING_COLUMNS if column not in self.tracking)

    @cached_property
    def insertion(self) -> int:
        """Where further columns go: after the last one, but before the nothing that follows a trailing delimiter."""
        return len(self.names) - (1 if len(self.names) > 1 and not self.names[-1] else 0)

    def values(self, record: Sequence[str]) -> dict[str, str]:
        """A record's texts by column, '' where it is too short."""
        width = len(record)
        return {
            name: record[index] if index < width else ""
            for name, index in zip(self.columns, self.positions, strict=True)
        }


def _nth_column(position: int) -> str:
    return f"column {position + 1}"


def read_header(texts: Sequence[str], label: str, place: Callable[[int], str] = _nth_column) -> Header:
    """The header whose fields say `texts`; `place` is what a person calls the field at a position from 0.

    Raises E-1004 where two columns have the same name, whatever its case, and E-1024 where one has control characters
    (line breaks and tabs are none of these) or is written as a formula.
    """
    names = tuple(text.strip() for text in texts)
    for position, name in enumerate(names):
        if not name.isprintable() and any(unicodedata.category(char) == "Cc" and char not in "\t\n\r" for char in name):
            raise TallyError(HEADER_REFUSED, cell=place(position), path=label, reason="has control characters")
        if name.startswith("="):
            raise TallyError(
                HEADER_REFUSED, cell=place(position), path=label, reason="begins with =, as a formula does"
            )
    counts = Counter(name.casefold() for name in names if name)
    if twice := list(dict.fromkeys(name for name in names if counts[name.casefold()] > 1)):
        raise TallyError(DUPLICATE_HEADERS, path=label, columns=", ".join(twice))
    return Header(names)
