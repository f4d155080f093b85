"""A request's orders while they are taken in: read, mapped, validated, compared with what was shipped before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from services.coordinator.database.new_rows import NewRow, RefusedRow
from services.coordinator.identity import reservation_key
from services.coordinator.intake.address_rules import rule_warnings
from services.coordinator.intake.duplicates import RowsSoFar, SimilarOrders
from services.coordinator.intake.history import History
from services.coordinator.intake.marks import marks_of
from services.coordinator.intake.orders import OrderReader, number_in_source
from services.coordinator.intake.phone_rules import phone_warnings
from services.coordinator.intake.repeats import replaceable, ships_again, skip_note
from services.coordinator.intake.settled import SettledCount
from services.coordinator.mapping.mapping import Mapping as ColumnMapping
from services.coordinator.mapping.problems import RowInvalidError
from services.coordinator.mapping.shipment import Defaults, Senders
from shared.contracts.documents import ShippedBefore
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source, source_hash, source_label
from shared.contracts.warning import RowWarning
from shared.errors import ALL_SETTLED, NO_ROWS, ROWS_INVALID, TOO_MANY_ROWS, ErrorBody, TallyError
from shared.shipping import Shipment
from shared.sources import Snapshot
from shared.sources.database_connection import Connections
from shared.sources.rows import SourceRow

BATCH = 500
_ROWS_LISTED = 500

Order = tuple[SourceRow, ...]
TakenRow = NewRow | RefusedRow
# A row and the tracking number that the source has for it.
ReadRow = tuple[TakenRow, str]


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
        key = self.mapping.order_column(self.snapshot.columns)
        orders = self.snapshot.orders(self.request.where, key)
        leaves_out = self.request.skip_invalid
        while batch := await asyncio.to_thread(self._next, orders):
            read = [row for row in batch if row is not None]
            if read and (every_row or leaves_out or not self.invalid):
                yield await self._compared(read)
        self._check_whole()
        if self.invalid and not (leaves_out and self.invalid < self.total):
            raise TallyError(ROWS_INVALID, count=self.invalid, total=self.total, details=tuple(self.problems))

    def _check_whole(self) -> None:
        if self.total == 0 and (settled := self.settled.orders):
            include = " ".join(f"--include {orders.reason}" for orders in settled)
            raise TallyError(ALL_SETTLED, path=source_label(self.source), settled=str(self.settled), include=include)
        if self.total == 0:
            raise TallyError(NO_ROWS, path=source_label(self.source), where=self.request.where or "the condition")
        if self.invalid > _ROWS_LISTED:
            more = self.invalid - _ROWS_LISTED
            self.problems.append(ErrorBody(code=ROWS_INVALID.code, message=f"… and {more} more rows that cannot ship."))

    async def _compared(self, batch: Sequence[ReadRow]) -> list[TakenRow]:
        """The batch, its rows compared with what was shipped before and with one another.

        Those that do not ship again are skipped; those that may be duplicates have a warning.
        """
        hashed = source_hash(self.source)
        valid = [row for row, _ in batch if isinstance(row, NewRow)]
        keys = [reservation_key(hashed, row.row_key, row.fingerprint) for row in valid]
        shipped = await self.history.shipped_orders(keys)
        earlier = SimilarOrders(await self.history.similar_orders([row.marks for row in valid]))
        of_valid = iter(keys)
        taken: list[TakenRow] = []
        for row, number in batch:
            self._taken += 1
            if isinstance(row, NewRow):
                key = next(of_valid)
                judged = self._judged(row, shipped.get(key) or self._told_by(number), number)
                taken.append(self._warned(judged, key, earlier))
            else:
                taken.append(row)
        return taken

    def _warned(self, row: NewRow, key: str, earlier: SimilarOrders) -> NewRow:
        """The row with a warning where it may be a duplicate; one that does not ship has none."""
        like = self._so_far.note(self._taken, row.marks)
        if row.skipped is not None:
            return replace(row, warnings=())
        if row.shipped_before is None:
            like = like or earlier.like(row.marks, key)
        return replace(row, warnings=(*row.warnings, *like)) if like else row

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

    def _next(self, orders: Iterator[Order]) -> list[ReadRow | None]:
        batch = [self._row(rows) for rows in islice(orders, BATCH)]
        if self.total > self.settings.max_rows:
            raise TallyError(TOO_MANY_ROWS, path=source_label(self.source), limit=self.settings.max_rows)
        return batch

    def would_ship(self, rows: Order) -> bool:
        """Whether an order is one of the batch's own, and valid."""
        try:
            settled = self.reader.is_left_out(rows) or self.reader.why_left_out(rows, self.request.include)
            return not settled and self.reader.read(rows) is not None
        except RowInvalidError:
            return False

    def _row(self, rows: Order) -> ReadRow | None:
        """The order's row and the tracking number that the source has for it, if any; None where it is none of ours."""
        try:
            if self.reader.is_left_out(rows):
                self.left_out += 1
                return None
            if reason := self.reader.why_left_out(rows, self.request.include):
                self.settled.add(reason, rows[0].number)
                return None
            row = self.reader.read(rows)
            row = replace(row, warnings=(*row.warnings, *_warnings(row.shipment)), marks=marks_of(row.shipment))
        except RowInvalidError as error:
            return self._refused(rows, error), ""
        self.total += 1
        self.first = self.first or row
        return row, number_in_source(rows)

    def _refused(self, rows: Order, error: RowInvalidError) -> RefusedRow:
        row = self.reader.refused(rows, error.errors)
        self.total += 1
        self.invalid += 1
        if self.invalid <= _ROWS_LISTED:
            self.problems += row.problems
        return row


def _warnings(shipment: Shipment) -> tuple[RowWarning, ...]:
    recipient = shipment.recipient
    address = recipient.address
    return (
        *rule_warnings(address.country, address.state, address.postal_code),
        *phone_warnings(recipient.phone, address.country),
    )
