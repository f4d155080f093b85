"""What becomes of a source's orders one by one: left out, refused, or a valid row. Pure, so any process may do it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.coordinator.database.new_rows import NewRow, RefusedRow, StoredRow, stored
from services.coordinator.intake.orders import OrderReader, number_in_source
from services.coordinator.mapping.problems import RowInvalidError
from shared.sources.rows import FoundOrder, RowFormat, SourceRow

Order = tuple[SourceRow, ...]
BLOCK = 500  # orders that are judged together

TakenRow = NewRow | RefusedRow
RowT = TypeVar("RowT", TakenRow, StoredRow)


@dataclass
class Block(Generic[RowT]):
    """Orders that were judged together: their rows, and beside each its reservation key and its marks.

    Of a row that cannot ship those are blank, and it is among `refused` by its place, from 0. `numbers` are the
    tracking numbers that the source has for some, by place. `settled` names those that are left out by their reason and
    first row, `left_out` counts those that are no orders.
    """

    rows: list[RowT] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[int, RefusedRow] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    settled: list[tuple[str, int]] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class OrderJudge:
    """Judges the orders of one request; `include` are reasons for which none is left out."""

    reader: OrderReader
    include: tuple[str, ...]
    source_hash: str

    def judged(self, orders: Iterable[Order]) -> Block[TakenRow]:
        """What becomes of some orders."""
        block = Block[TakenRow]()
        for rows in orders:
            try:
                if self.reader.is_left_out(rows):
                    block.left_out += 1
                elif reason := self.reader.why_left_out(rows, self.include):
                    block.settled.append((reason, rows[0].number))
                else:
                    self._take(block, self.reader.read(rows), number_in_source(rows))
            except RowInvalidError as error:
                self._refuse(block, self.reader.refused(rows, error.errors))
        return block

    def would_ship(self, rows: Order) -> bool:
        """Whether an order is one of the request's own, and valid."""
        return any(isinstance(row, NewRow) for row in self.judged([rows]).rows)

    def _take(self, block: Block[TakenRow], row: NewRow, number: str) -> None:
        if number:
            block.numbers[len(block.rows)] = number
        block.rows.append(row)
        block.keys.append(row.key(self.source_hash))
        block.marks.append((row.marks.order, row.marks.contents))

    def _refuse(self, block: Block[TakenRow], row: RefusedRow) -> None:
        block.refused[len(block.rows)] = row
        block.rows.append(row)
        block.keys.append("")
        block.marks.append(("", ""))


@dataclass(frozen=True)
class StoringJudge:
    """Judges orders as a snapshot finds them, and has their rows as they are stored; can be sent to another process."""

    judge: OrderJudge
    format: RowFormat

    def judged(self, found: Iterable[FoundOrder]) -> Block[StoredRow]:
        """What becomes of some orders."""
        block = self.judge.judged(map(self.format.order, found))
        rows = list(map(stored, block.rows, block.keys))
        return Block(
            rows, block.keys, block.marks, block.refused, block.numbers, block.settled, left_out=block.left_out
        )
