"""What every kind of source gives its reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Protocol, Self

from shared.sources.rows import FoundOrder, RowFormat, SourceRow


class Snapshot(Protocol):
    """A source as it was at one moment, whatever becomes of it later; a context manager.

    All methods block: call them in a thread.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns, in order."""

    @property
    def facts(self) -> Mapping[str, str]:
        """How it is read, by name, for a person to see."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how it was read, a sentence each."""

    def count(self, where: str | None = None) -> int:
        """How many rows meet the condition. Raises E-1010, E-1011 or E-1012."""

    def rows(self, where: str | None = None) -> Iterator[SourceRow]:
        """The rows that meet the condition, streamed in the source's order. Raises E-1010, E-1011 or E-1012."""

    def orders(self, where: str | None = None, key: str | None = None) -> Iterator[tuple[SourceRow, ...]]:
        """Orders, each with all its rows: those that say the same in column `key`; without it, or blank, one row alone.

        They come in the order of their first rows, and the condition is asked of these. Raises as `rows` does.
        """

    def found_orders(self, where: str | None = None, key: str | None = None) -> Iterator[FoundOrder]:
        """The same orders as plain values, which `format` makes rows of."""

    @property
    def format(self) -> RowFormat:
        """What makes rows of what is found."""

    def close(self) -> None:
        """Let go of it and of everything it keeps on disk."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
