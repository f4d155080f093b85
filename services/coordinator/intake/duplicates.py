"""Orders that may be duplicates: another row has the same order number, or the same address and contents. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.coordinator.intake.marks import Marks
from shared.contracts.states import RowStatus
from shared.contracts.warning import RowWarning, WarningCode

# So many rows of a batch are remembered, to bound what a very long one takes of memory.
_REMEMBERED = 100_000


@dataclass(frozen=True)
class EarlierOrder:
    """An order of an earlier job that has a label, or may get one, with its marks."""

    job_id: str
    row_number: int
    status: RowStatus
    reservation_key: str
    marks: Marks


class _FirstRows:
    """Rows by a mark, of rows alike the first; the oldest are forgotten."""

    def __init__(self) -> None:
        # By 64 bits of a hash, in half the memory of a mark: too many for two of these rows to share one by chance.
        self._rows: dict[int, int] = {}
        # A dict finds its oldest key only by passing all that were deleted before it.
        self._oldest: deque[int] = deque()

    def note(self, mark: str, number: int) -> int | None:
        """The first row with this mark; where there is none, `number` is from now on."""
        if not mark:
            return None
        hashed = hash(mark)
        known = self._rows.get(hashed)
        if known is None:
            self._rows[hashed] = number
            self._oldest.append(hashed)
            if len(self._oldest) > _REMEMBERED:
                del self._rows[self._oldest.popleft()]
        return known


@dataclass
class RowsSoFar:
    """The rows of a batch that were read, by their marks: of rows alike the first."""

    _by_order: _FirstRows = field(default_factory=_FirstRows)
    _by_contents: _FirstRows = field(default_factory=_FirstRows)

    def note(self, number: int, marks: tuple[str, str]) -> tuple[RowWarning, ...]:
        """Remember row `number`; a warning that names an earlier row like it, if any."""
        order, contents = marks
        same_order = self._by_order.note(order, number)
        same_contents = self._by_contents.note(contents, number)
        if same_order is None and same_contents is None:
            return ()
        # Of two other rows, the one with the same order number tells more.
        other = same_contents if same_order is None else same_order
        what = _what(same_order=same_order is not None, same_contents=same_contents == other)
        return (_warning(f"Row {other} has {what}."),)


class SimilarOrders:
    """Orders of earlier jobs, at most one for each order number, and one for each address with contents.

    Those of the one kind do not count as the other: which of them are here depends on what else was asked for.
    """

    def __init__(self, by_order: Iterable[EarlierOrder], by_contents: Iterable[EarlierOrder]) -> None:
        self.by_order = {order.marks.order: order for order in by_order}
        self.by_contents = {order.marks.contents: order for order in by_contents}

    def like(self, marks: tuple[str, str], reservation_key: str) -> tuple[RowWarning, ...]:
        """A warning that names the order which is most like one with these marks, if any.

        The very same order, which has the same reservation, is none: it is never bought twice.
        """
        by_order, by_contents = marks
        same_order = self.by_order.get(by_order) if by_order else None
        for order in (same_order, self.by_contents.get(by_contents)):
            if order is not None and order.reservation_key != reservation_key:
                what = _what(
                    same_order=order.marks.order == by_order != "",
                    same_contents=order.marks.contents == by_contents,
                )
                state = order.status.value.replace("_", " ")
                return (_warning(f"Row {order.row_number} of job {order.job_id}, which is {state}, has {what}."),)
        return ()


def _what(*, same_order: bool, same_contents: bool) -> str:
    if same_order and same_contents:
        return "the same order number, address and contents"
    return "the same order number" if same_order else "the same address and contents"


def _warning(message: str) -> RowWarning:
    return RowWarning(code=WarningCode.POSSIBLE_DUPLICATE, message=message)
