"""Takes a request's orders in: read, mapped, validated and snapshotted before any money moves (DESIGN P4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path

from services.coordinator.database.intake import NewRow, destination
from services.coordinator.estimate import Estimator
from services.coordinator.history import History
from services.coordinator.identity import reservation_key
from services.coordinator.mapping.filters import service_level
from services.coordinator.mapping.mapping import Mapping as ColumnMapping
from services.coordinator.mapping.problems import FieldValueError, RowInvalidError, quoted
from services.coordinator.mapping.profiles import choose_mapping
from services.coordinator.orders import OrderReader, number_in_source
from services.coordinator.repeats import replaceable, ships_again, skip_note
from shared.contracts.documents import PreviewDocument, PreviewRow, ShippedBefore, SkippedBy
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source, source_hash, source_label
from shared.errors import (
    NO_ROWS,
    NO_SHIP_FROM,
    REQUEST_MALFORMED,
    ROWS_INVALID,
    TOO_MANY_ROWS,
    ErrorBody,
    TallyError,
)
from shared.shipping import Contact, Dimensions, Money, ServiceLevel
from shared.sources import Snapshot, as_read, check_writable, open_source, resolve_source
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
    ship_from: Contact | None
    default_weight: Decimal | None
    max_rows: int
    default_size: Dimensions | None = None


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
    invalid: int = 0
    problems: list[ErrorBody] = field(default_factory=list)

    @property
    def mapping(self) -> ColumnMapping:
        """The mapping its orders are read by."""
        return self.reader.mapping

    async def rows(self) -> AsyncIterator[list[NewRow]]:
        """The valid rows in source order, in batches; reading and mapping run in a thread.

        Raises E-2010 after the last row where any row is invalid, listing what is wrong with each, E-1008 where no
        row matches and E-1013 where there are more than an installation takes.
        """
        key = self.mapping.order_column(self.snapshot.columns)
        orders = self.snapshot.orders(self.request.where, key)
        while batch := await asyncio.to_thread(self._next, orders):
            valid = [row for row in batch if row is not None]
            if valid and not self.invalid:
                yield await self._compared(valid)
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
            self.total += 1
            return self.reader.read(rows), number_in_source(rows)
        except RowInvalidError as error:
            self.invalid += 1
            if self.invalid <= _ROWS_LISTED:
                number = rows[0].number
                self.problems += [problem.model_copy(update={"row": problem.row or number}) for problem in error.errors]
            return None


class Intake:
    """Opens requests' sources."""

    def __init__(self, settings: IntakeSettings, history: History) -> None:
        self._settings = settings
        self._history = history

    @asynccontextmanager
    async def open(self, request: JobRequest, *, to_ship: bool = True) -> AsyncIterator[Batch]:
        """The request's batch, its source open. Raises TallyError E-1xxx, E-2xxx or E-5004.

        With `to_ship` a source that cannot be written back to is refused: before anything is bought, not after.
        """
        ship_from = self._settings.ship_from
        if ship_from is None:
            raise TallyError(NO_SHIP_FROM)
        service = _service(request.service)
        roots, connections = self._settings.source_roots, self._settings.connections
        source = await asyncio.to_thread(resolve_source, request.source, roots, connections)
        if to_ship:
            await asyncio.to_thread(check_writable, source, connections)
        ancestors = await self._history.ancestors(request.restart_of)
        sold = {} if request.restart_of is None else await self._history.numbers_sold(request.restart_of)
        snapshot = await asyncio.to_thread(open_source, source, roots, connections)
        try:
            settings = self._settings
            mapping = await asyncio.to_thread(choose_mapping, request.mapping, snapshot.columns, roots)
            mapping.check(snapshot.columns)
            reader = OrderReader(mapping, ship_from, service, settings.default_weight, settings.default_size)
            yield Batch(
                as_read(source, snapshot),
                reader,
                snapshot,
                request,
                settings,
                self._history,
                ancestors,
                sold,
            )
        finally:
            await asyncio.to_thread(snapshot.close)

    async def preview(self, request: JobRequest, estimator: Estimator, limit: int) -> PreviewDocument:
        """What the request would cost, without making a job; the first `limit` rows one by one."""
        listed: list[PreviewRow] = []
        costs: list[Money] = []
        to_ship = unrated = again = 0
        skipped_by: Counter[str | None] = Counter()
        async with self.open(request, to_ship=False) as batch:
            async for rows in batch.rows():
                shipping = [row for row in rows if row.skipped is None]
                to_ship += len(shipping)
                again += sum(row.shipped_before is not None for row in shipping)
                skipped_by.update(
                    row.shipped_before.job_id for row in rows if row.shipped_before is not None and row.skipped
                )
                quotes = dict(
                    zip(
                        (row.source_row for row in shipping),
                        await estimator.quotes([row.shipment for row in shipping]),
                        strict=True,
                    )
                )
                costs += [quote.cost for quote in quotes.values() if quote.cost is not None]
                unrated += sum(quote.cost is None for quote in quotes.values())
                for number, row in enumerate(rows[: limit - len(listed)], start=len(listed) + 1):
                    quote = quotes.get(row.source_row)
                    listed.append(
                        _preview_row(number, row, quote.cost if quote else None, quote.error if quote else None)
                    )
        return PreviewDocument(
            source=batch.source,
            where=request.where,
            mapping=batch.mapping.name,
            total=batch.total,
            to_ship=to_ship,
            skipped=batch.total - to_ship,
            estimate=Money.total(costs),
            unrated=unrated,
            rows=tuple(listed),
            skipped_by=tuple(SkippedBy(job_id=job_id, count=count) for job_id, count in skipped_by.most_common()),
            shipped_again=again,
            notes=batch.snapshot.notes,
        )


def _preview_row(number: int, row: NewRow, estimate: Money | None, error: ErrorBody | None) -> PreviewRow:
    return PreviewRow(
        row_number=number,
        recipient=row.shipment.recipient.name,
        destination=destination(row.shipment),
        service=row.shipment.service,
        estimate=estimate,
        skipped=None if row.skipped is None else row.skipped.message,
        shipped_before=row.shipped_before,
        error=error,
    )


def _service(text: str | None) -> ServiceLevel | None:
    if text is None:
        return None
    try:
        return service_level(text)
    except FieldValueError as error:
        raise TallyError(REQUEST_MALFORMED, reason=f"service {quoted(error.value)}: {error.reason}") from error
