"""A request's orders while they are taken in: read, mapped, validated, compared with what was shipped before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from services.coordinator.database.new_rows import (
    Finding,
    NewRow,
    StoredRow,
    StoredRows,
    source_row_of,
    with_finding,
)
from services.coordinator.intake.duplicates import RowsSoFar
from services.coordinator.intake.history import History
from services.coordinator.intake.judges import BatchJudges
from services.coordinator.intake.judging import BLOCK, Block, Order, OrderJudge, StoringJudge, TakenRow
from services.coordinator.intake.orders import OrderReader
from services.coordinator.intake.repeats import replaceable, ships_again, skip_note
from services.coordinator.intake.settled import SettledCount
from services.coordinator.mapping.mapping import Mapping as ColumnMapping
from services.coordinator.mapping.shipment import Defaults, Senders
from shared.contracts.documents import ShippedBefore
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source, source_hash, source_label
from shared.contracts.warning import RowWarning
from shared.errors import ALL_SETTLED, NO_ROWS, ROWS_INVALID, TOO_MANY_ROWS, ErrorBody, TallyError
from shared.sources import Snapshot
from shared.sources.database_connection import Connections

_ROWS_LISTED = 500


@dataclass(frozen=True)
class IntakeSettings:
    """What intake takes from the settings."""

    source_roots: tuple[Path, ...]
    connections: Connections
    senders: Senders
    defaults: Defaults
    max_rows: int


@dataclass
class Batch:
    """A request's orders while they are taken in; `problems` and the counts are whole after the last row."""

    source: Source
    reader: OrderReader
    snapshot: Snapshot
    request: JobRequest
    settings: IntakeSettings
    history: History
    ancestors: frozenset[str] = frozenset()
    sold: Mapping[str, ShippedBefore] = field(default_factory=dict)
    total: int = 0
    left_out: int = 0
    settled: SettledCount = field(default_factory=SettledCount)
    invalid: int = 0
    problems: list[ErrorBody] = field(default_factory=list)
    first: NewRow | None = None
    _taken: int = 0
    _so_far: RowsSoFar = field(default_factory=RowsSoFar)

    @property
    def mapping(self) -> ColumnMapping:
        """The mapping its orders are read by."""
        return self.reader.mapping

    async def rows(self, *, every_row: bool = False) -> AsyncIterator[list[TakenRow]]:
        """The valid rows in source order, in batches; reading and mapping run in a thread.

        Where the request leaves out what cannot ship, those rows are among them as refused ones; so they are with
        `every_row`. Else nothing comes behind the first, for then no row ships. Raises E-2010 after the last row where
        any row is invalid, unless others are left to ship without them, listing what is wrong with each, E-1008 where
        no row matches, E-2015 where all that do are settled and E-1013 where there are more than an installation takes.
        """
        orders = self.snapshot.orders(self.request.where, self._order_column)
        while block := await asyncio.to_thread(_next_block, self._judge, orders):
            self.first = self.first or next((row for row in block.rows if isinstance(row, NewRow)), None)
            if self._counts(block) or (every_row and block.rows):
                found = await self._compared(block)
                yield [
                    row.with_finding(found[place]) if place in found and isinstance(row, NewRow) else row
                    for place, row in enumerate(block.rows)
                ]
        self._check_whole()

    async def to_store(self, judges: BatchJudges) -> AsyncIterator[StoredRows]:
        """The same rows as they are stored, judged by `judges`. Raises as `rows` does."""
        found = self.snapshot.found_orders(self.request.where, self._order_column)
        async for block in judges.judged(StoringJudge(self._judge, self.snapshot.format), found):
            if self._counts(block):
                yield _stored(block, await self._compared(block))
        self._check_whole()

    def would_ship(self, rows: Order) -> bool:
        """Whether an order is one of the batch's own, and valid."""
        return self._judge.would_ship(rows)

    @property
    def _order_column(self) -> str | None:
        return self.mapping.order_column(self.snapshot.columns)

    @cached_property
    def _judge(self) -> OrderJudge:
        return OrderJudge(self.reader, self.request.include, source_hash(self.source))

    def _counts(self, block: Block[TakenRow] | Block[StoredRow]) -> bool:
        """Count a block's orders; whether any of its rows are to be had. Raises E-1013."""
        self.left_out += block.left_out
        for reason, first_row in block.settled:
            self.settled.add(reason, first_row)
        self.total += len(block.rows)
        for row in block.refused.values():
            self.invalid += 1
            if self.invalid <= _ROWS_LISTED:
                self.problems += row.problems
        if self.total > self.settings.max_rows:
            raise TallyError(TOO_MANY_ROWS, path=source_label(self.source), limit=self.settings.max_rows)
        return bool(block.rows) and (self.request.skip_invalid or not self.invalid)

    def _check_whole(self) -> None:
        if self.total == 0 and (settled := self.settled.orders):
            include = " ".join(f"--include {orders.reason}" for orders in settled)
            raise TallyError(ALL_SETTLED, path=source_label(self.source), settled=str(self.settled), include=include)
        if self.total == 0:
            raise TallyError(NO_ROWS, path=source_label(self.source), where=self.request.where or "the condition")
        if self.invalid > _ROWS_LISTED:
            more = self.invalid - _ROWS_LISTED
            self.problems.append(ErrorBody(code=ROWS_INVALID.code, message=f"… and {more} more rows that cannot ship."))
        if self.invalid and not (self.request.skip_invalid and self.invalid < self.total):
            raise TallyError(ROWS_INVALID, count=self.invalid, total=self.total, details=tuple(self.problems))

    async def _compared(self, block: Block[TakenRow] | Block[StoredRow]) -> dict[int, Finding]:
        """What comparing the rows with what was shipped before and with one another found, for some, by place.

        Those that do not ship again are skipped; those that may be duplicates have a warning.
        """
        shipped, earlier = await self.history.earlier_orders([key for key in block.keys if key], block.marks)
        found: dict[int, Finding] = {}
        for place, (key, marks) in enumerate(zip(block.keys, block.marks, strict=True)):
            self._taken += 1
            if not key:
                continue
            like = self._so_far.note(self._taken, marks)
            number = block.numbers.get(place, "")
            if before := shipped.get(key) or self._told_by(number):
                found[place] = self._shipped(before, source_row_of(block.rows[place]), number, like)
            elif like := like or earlier.like(marks, key):
                found[place] = Finding(warnings=like)
        return found

    def _told_by(self, number: str) -> ShippedBefore | None:
        """What a tracking number in the source says, where no job holds the order as it stands now."""
        if not number:
            return None
        return self.sold.get(number) or ShippedBefore(job_id=None, tracking_numbers=(number,))

    def _shipped(self, before: ShippedBefore, source_row: int, number: str, like: tuple[RowWarning, ...]) -> Finding:
        """The finding on a row that is shipped already, and is `like` rows before it."""
        if ships_again(before, reship=self.request.reship, ancestors=self.ancestors):
            return Finding(before, replaces=replaceable(before, number), warnings=like)
        return Finding(before, skipped=skip_note(before, source_row))


def _stored(block: Block[StoredRow], found: dict[int, Finding]) -> StoredRows:
    """A block's rows as they are stored, with what was found."""
    taken = StoredRows(block.rows)
    for place, row in block.refused.items():
        taken.skipped[place] = (row.skipped, None)
    for place, finding in found.items():
        taken.rows[place] = with_finding(taken.rows[place], finding)
        if finding.skipped is not None:
            taken.skipped[place] = (finding.skipped, finding.shipped_before)
    return taken


def _next_block(judge: OrderJudge, orders: Iterator[Order]) -> Block[TakenRow] | None:
    some = list(islice(orders, BLOCK))
    return judge.judged(some) if some else None
