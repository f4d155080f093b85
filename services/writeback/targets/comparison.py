"""What a file says, apart from how it says it, and what one of them has that another lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contents:
    """A file of orders: each row's checksum (None where it cannot be read) and tracking number, in order.

    `parts` are the checksums of all that no write-back touches, by name.
    """

    rows: Sequence[tuple[str | None, str]]
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """What a file has that its copy lacks: how many different numbers, which rows and parts.

    `missing` is how many rows of the copy it lacks; `moved` says that it has them all in another order.
    """

    numbers: int
    changed: tuple[int, ...]
    missing: int
    moved: bool
    parts: tuple[str, ...]


def compare(file: Contents, copy: Contents) -> Difference:
    """How a file differs from its copy; rows are counted from 1."""
    left = Counter(checksum for checksum, _ in copy.rows)
    changed = []
    for number, (checksum, _) in enumerate(file.rows, start=1):
        if left[checksum]:
            left[checksum] -= 1
        else:
            changed.append(number)
    missing = left.total()
    same_order = [checksum for checksum, _ in file.rows] == [checksum for checksum, _ in copy.rows]
    numbers = {number for _, number in file.rows if number} - {number for _, number in copy.rows}
    parts = sorted(name for name in {*file.parts, *copy.parts} if file.parts.get(name) != copy.parts.get(name))
    return Difference(
        numbers=len(numbers),
        changed=tuple(changed),
        missing=missing,
        moved=not same_order and not changed and not missing,
        parts=tuple(parts),
    )
