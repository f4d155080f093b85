"""What a row's tracking columns are to say, given what they say: the one decision for every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.errors import SOURCE_CHANGED, WRITE_FAILED, ErrorBody, TallyError
from shared.sources.changes import RowChange, wanted_texts


class RowFinder:
    """Finds rows again by number and checksum, should rows have moved; `checksum` gives a row's by its index."""

    def __init__(self, count: int, checksum: Callable[[int], str | None]) -> None:
        self._count = count
        self._checksum = checksum

    def find(self, change: RowChange, label: str) -> int:
        """The index of the row a change is for: at its number, else wherever its checksum is found exactly once.

        Raises E-4010 where there is no such row.
        """
        index: int | None = change.source_row - 1
        if not (0 < change.source_row <= self._count and self._checksum(change.source_row - 1) == change.checksum):
            index = self._unique.get(change.checksum)
        if index is None:
            shown = change.values.tracking_number or "(none)"
            raise TallyError(SOURCE_CHANGED, row_number=change.source_row, path=label, tracking_number=shown)
        return index

    def checksums(self) -> list[str | None]:
        """Every row's checksum, in order."""
        return [self._checksum(index) for index in range(self._count)]

    @cached_property
    def _unique(self) -> Mapping[str, int | None]:
        found: dict[str, int | None] = {}
        for index in range(self._count):
            checksum = self._checksum(index)
            if checksum is not None:
                found[checksum] = None if checksum in found else index
        return found


@dataclass(frozen=True)
class Decisions:
    """What to write: texts by row index and column; and of each change its failure, and whether it waits for them."""

    texts: Mapping[int, Mapping[str, str]]
    errors: tuple[ErrorBody | None, ...]
    pending: tuple[bool, ...]


def decide(
    finder: RowFinder,
    present: Callable[[int], Mapping[str, str]],
    changes: Sequence[RowChange],
    label: str,
    refusal: Callable[[str], str | None],
) -> Decisions:
    """Decide on `changes` in their order; `present` gives what the tracking columns of a row say.

    `refusal` tells why a text cannot stand in the file at all, None where it can.
    """
    texts: dict[int, dict[str, str]] = {}
    errors: list[ErrorBody | None] = []
    indices: list[int] = []
    for change in changes:
        index = -1
        try:
            index = finder.find(change, label)
            wanted = wanted_texts({**present(index), **texts.get(index, {})}, change, label)
        except TallyError as error:
            failure: ErrorBody | None = error.body
        else:
            reason = refusal("".join(wanted.values()))
            failure = TallyError(WRITE_FAILED, path=label, reason=reason).body if reason else None
            if wanted and failure is None:
                texts.setdefault(index, {}).update(wanted)
        indices.append(index)
        errors.append(failure)
    pending = tuple(error is None and index in texts for index, error in zip(indices, errors, strict=True))
    return Decisions(texts, tuple(errors), pending)
