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

ValidT = TypeVar("ValidT", NewRow, StoredRow)


@dataclass
class Block(Generic[ValidT]):
    """Orders that were judged together: their rows, each with the tracking number that the source has for it, if any.

    `settled` names those that are left out by their reason and first row, `left_out` counts those that are no orders.
    """

    rows: list[tuple[ValidT | RefusedRow, str]] = field(default_factory=list)
    settled: list[tuple[str, int]] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class OrderJudge:
    """Judges the orders of one request; `include` are reasons for which none is left out."""

    reader: OrderReader
    include: tuple[str, ...]
    source_hash: str

    def judged(self, orders: Iterable[Order]) -> Block[NewRow]:
        """What becomes of some orders."""
        block = Block[NewRow]()
        for rows in orders:
            try:
                if self.reader.is_left_out(rows):
                    block.left_out += 1
                elif reason := self.reader.why_left_out(rows, self.include):
                    block.settled.append((reason, rows[0].number))
                else:
                    block.rows.append((self.reader.read(rows), number_in_source(rows)))
            except RowInvalidError as error:
                block.rows.append((self.reader.refused(rows, error.errors), ""))
        return block

    def would_ship(self, rows: Order) -> bool:
        """Whether an order is one of the request's own, and valid."""
        return any(isinstance(row, NewRow) for row, _ in self.judged([rows]).rows)


@dataclass(frozen=True)
class StoringJudge:
    """Judges orders as a snapshot finds them, and has their rows as they are stored; can be sent to another process."""

    judge: OrderJudge
    format: RowFormat

    def judged(self, found: Iterable[FoundOrder]) -> Block[StoredRow]:
        """What becomes of some orders."""
        block = self.judge.judged(map(self.format.order, found))
        hashed = self.judge.source_hash
        rows = [(stored(row, hashed) if isinstance(row, NewRow) else row, number) for row, number in block.rows]
        return Block(rows, block.settled, block.left_out)
