"""What a row's tracking columns are to say, given what they say: the one decision for every kind of file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from services.writeback.targets.target import RowChange
from shared.errors import SOURCE_CHANGED, TRACKING_CONFLICT, WRITE_FAILED, ErrorBody, TallyError
from shared.sources.rows import TRACKING_COLUMNS

_NUMBER, _SHIPPED_AT = TRACKING_COLUMNS


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


def wanted_texts(present: Mapping[str, str], change: RowChange, label: str) -> dict[str, str]:
    """The texts that `change` still has to put into tracking columns that say `present`; none where all is as it is.

    Raises E-4012 where another number stands there, one that the change does not replace.
    """
    number = change.values.tracking_number
    standing = present.get(_NUMBER, "").strip()
    if standing not in {"", number, *change.replaces}:
        raise TallyError(TRACKING_CONFLICT, row_number=change.source_row, path=label)
    if number is not None:
        return _filled(present, number, change.values.shipped_at)
    # A time without a number is nobody's to clear: a person took the number out and left it.
    return {column: "" for column, text in present.items() if text} if standing else {}


def _filled(present: Mapping[str, str], number: str, shipped_at: datetime | None) -> dict[str, str]:
    """What is still to be written for `number`; the time stays as it is where the number is already there."""
    same = present.get(_NUMBER, "").strip() == number
    wanted = {} if same else {_NUMBER: number}
    if shipped_at is not None and not (same and present.get(_SHIPPED_AT, "").strip()):
        wanted[_SHIPPED_AT] = shipped_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return wanted


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
