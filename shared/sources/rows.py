"""A row of a source and how it is told apart from every other."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

TRACKING_COLUMNS = ("tracking_number", "shipped_at")

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


class SourceRow(NamedTuple):
    """One data row as it was read.

    `number` counts data rows from 1 in the source's order, blank lines not counted. `key` names the row in its source:
    the primary key of a table, the row number of a file. `values` holds the text of every column, '' where the source
    has none. `surplus` is how many non-empty fields the row has beyond the header's: more than none means that its
    columns may have slipped, as an unquoted comma in an address makes them.
    """

    number: int
    key: str
    values: Mapping[str, str]
    checksum: str
    surplus: int = 0


# A row as a snapshot finds it: its number, its surplus, the text of every column. Plain values, cheap to hand on.
FoundRow = tuple[Any, ...]
FoundOrder = tuple[FoundRow, ...]


@dataclass(frozen=True)
class RowFormat:
    """What makes a source's rows of what a snapshot finds: its columns, and those of them that are the key, if any."""

    columns: tuple[str, ...]
    key: tuple[str, ...] = ()

    def row(self, found: FoundRow) -> SourceRow:
        """One row; its key is made of the texts of the key columns, and is its number where there are none."""
        number, surplus, *texts = found
        values = dict(zip(self.columns, texts, strict=True))
        key = join_key([values[name] for name in self.key]) if self.key else str(number)
        return SourceRow(number, key, values, _checksum(self._names, texts), surplus)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return _names_in_checksum(self.columns)

    def order(self, found: FoundOrder) -> tuple[SourceRow, ...]:
        """All rows of an order."""
        return tuple(map(self.row, found))


@lru_cache(maxsize=4096)
def tracking_column(name: str) -> str | None:
    """Which of the two tracking columns a header means, such as ``Tracking Number``; None for every other column."""
    folded = _BETWEEN_WORDS.sub("_", name.strip().lower())
    return folded if folded in TRACKING_COLUMNS else None


def tracking_number(values: Mapping[str, str]) -> str:
    """The tracking number that a row's values name, '' where there is none."""
    column = _number_column(tuple(values))
    return values[column].strip() if column is not None else ""


@lru_cache(maxsize=64)
def _number_column(columns: tuple[str, ...]) -> str | None:
    return next((name for name in columns if tracking_column(name) == TRACKING_COLUMNS[0]), None)


def row_checksum(values: Mapping[str, str]) -> str:
    """SHA-256, in hex, over names and texts of every column but the tracking columns, in column order.

    Each name and text is preceded by its length, so that no two rows share an encoding.
    """
    return _checksum(_names_in_checksum(tuple(values)), values.values())


def _checksum(names: Iterable[str], texts: Iterable[str]) -> str:
    """`names` as `_names_in_checksum` tells them, each with its text."""
    encoded = "".join([f"{name}{len(text)}:{text}" for name, text in zip(names, texts, strict=True) if name])
    return hashlib.sha256(encoded.encode()).hexdigest()


@lru_cache(maxsize=64)
def _names_in_checksum(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Each column's name as a checksum has it, blank for one that does not count."""
    return tuple("" if tracking_column(name) else f"{len(name)}:{name}" for name in columns)


def join_key(texts: Sequence[str]) -> str:
    """The key of a table's row from the texts of its key columns: the one's own text, of several a JSON list."""
    return texts[0] if len(texts) == 1 else json.dumps(list(texts), ensure_ascii=False, separators=(",", ":"))


def split_key(key: str, count: int) -> list[str]:
    """The texts of `count` key columns that `join_key` joined. Raises ValueError where it is no such key."""
    if count == 1:
        return [key]
    texts = json.loads(key)
    if not (isinstance(texts, list) and len(texts) == count and all(isinstance(text, str) for text in texts)):
        raise ValueError("not a key of that many columns")
    return texts
