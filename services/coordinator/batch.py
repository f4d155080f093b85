"""A request's orders while they are taken in: read, mapped, validated, compared with what was shipped before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from services.coordinator.database.intake import NewRow
from services.coordinator.history import History
from services.coordinator.identity import reservation_key
from services.coordinator.mapping.mapping import Mapping as ColumnMapping
from services.coordinator.mapping.problems import RowInvalidError
from services.coordinator.mapping.shipment import Defaults, Senders
from services.coordinator.orders import OrderReader, number_in_source
from services.coordinator.repeats import replaceable, ships_again, skip_note
from services.coordinator.settled import SettledCount
from shared.contracts.documents import ShippedBefore
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source, source_hash, source_label
from shared.errors import ALL_SETTLED, NO_ROWS, ROWS_INVALID, TOO_MANY_ROWS, ErrorBody, TallyError
from shared.sources import Snapshot
from shared.sources.database_connection import Connections
from shared.sources.rows import SourceRow

BATCH = 500
_ROWS_LISTED = 500

Order = tuple[SourceRow, ...]


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

    @property
    def mapping(self) -> ColumnMapping:
        """The mapping its orders are read by."""
        return self.reader.mapping

    async def rows(self, *, all_valid: bool = False) -> AsyncIterator[list[NewRow]]:
        """The valid rows in source order, in batches; reading and mapping run in a thread.

        Behind an invalid one they come only with `all_valid`, for then no row ships. Raises E-2010 after the last row
        where any row is invalid, listing what is wrong with each, E-1008 where no row matches, E-2015 where all that do
        are settled and E-1013 where there are more than an installation takes.
        """
        key = self.mapping.order_column(self.snapshot.columns)
        orders = self.snapshot.orders(self.request.where, key)
        while batch := await asyncio.to_thread(self._next, orders):
            valid = [row for row in batch if row is not None]
            if valid and (all_valid or not self.invalid):
                yield await self._compared(valid)
        if self.total == 0 and (settled := self.settled.orders):
            include = " ".join(f"--include {orders.reason}" for orders in settled)
            raise TallyError(ALL_SETTLED, path=source_label(self.source), settled=str(self.settled), include=include)
        if self.total == 0:
            raise TallyError(NO_ROWS, path=source_label(self.source), where=self.request.where or "the condition")
        if self.invalid > _ROWS_LISTED:
            more = self.invalid - _ROWS_LISTED
            self.problems.append(ErrorBody(code=ROWS_INVALID.code, message=f"… and {more} more rows that cannot ship."))
        if self.invalid:
            raise TallyError(ROWS_INVALID, count=self.invalid, total=self.total, details=tuple(self.problems))

    async def _compared(self, batch: list[tuple[NewRow, str]]) -> list[NewRow]:
        """The batch, its rows compared with what was shipped before; those that do not ship again are skipped."""
        hashed = source_hash(self.source)
        keys = [reservation_key(hashed, row.row_key, row.fingerprint) for row, _ in batch]
        shipped = await self.history.shipped_orders(keys)
        return [
            self._judged(row, shipped.get(key) or self._told_by(number), number)
            for (row, number), key in zip(batch, keys, strict=True)
        ]

    def _told_by(self, number: str) -> ShippedBefore | None:
        """What a tracking number in the source says, where no job holds the order as it stands now."""
        if not number:
            return None
        return self.sold.get(number) or ShippedBefore(job_id=None, tracking_numbers=(number,))

    def _judged(self, row: NewRow, before: ShippedBefore | None, number: str) -> NewRow:
        if before is None:
            return row
        if ships_again(before, reship=self.request.reship, ancestors=self.ancestors):
            return replace(row, shipped_before=before, replaces=replaceable(before, number))
        return replace(row, shipped_before=before, skipped=skip_note(before, row.source_row))

    def _next(self, orders: Iterator[Order]) -> list[tuple[NewRow, str] | None]:
        batch = [self._row(rows) for rows in islice(orders, BATCH)]
        if self.total > self.settings.max_rows:
            raise TallyError(TOO_MANY_ROWS, path=source_label(self.source), limit=self.settings.max_rows)
        return batch

    def _row(self, rows: Order) -> tuple[NewRow, str] | None:
        """The order's row and the tracking number that the source has for it, if any; None where none is to ship."""
        try:
            if self.reader.is_left_out(rows):
                self.left_out += 1
                return None
            if reason := self.reader.why_left_out(rows, self.request.include):
                self.settled.add(reason, rows[0].number)
                return None
            self.total += 1
            row = self.reader.read(rows)
            self.first = self.first or row
            return row, number_in_source(rows)
        except RowInvalidError as error:
            self.invalid += 1
            if self.invalid <= _ROWS_LISTED:
                number = rows[0].number
                self.problems += [problem.model_copy(update={"row": problem.row or number}) for problem in error.errors]
            return None
