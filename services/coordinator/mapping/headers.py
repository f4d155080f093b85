"""A source's columns, found by the headers people use for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.coordinator.mapping.text import normalised


@dataclass(frozen=True)
class HeaderIndex:
    """Columns by normalised header; what was looked up once is remembered."""

    by_header: Mapping[str, str]
    _found: dict[tuple[str, ...], str | None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, columns: Iterable[str]) -> HeaderIndex:
        """The index of `columns`; of two headers that are alike the first one counts."""
        index: dict[str, str] = {}
        for column in columns:
            index.setdefault(normalised(column), column)
        index.pop("", None)
        return cls(index)

    def column(self, headers: tuple[str, ...]) -> str | None:
        """The column of the first of `headers` that is present."""
        if headers not in self._found:
            keys = map(normalised, headers)
            self._found[headers] = next((self.by_header[key] for key in keys if key in self.by_header), None)
        return self._found[headers]
