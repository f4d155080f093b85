"""Takes a request's orders in: read, mapped, validated and snapshotted before any money moves (DESIGN P4)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from services.coordinator.batch import Batch, IntakeSettings
from services.coordinator.database.intake import NewRow, destination
from services.coordinator.estimate import Estimator
from services.coordinator.history import History
from services.coordinator.mapping.filters import service_level
from services.coordinator.mapping.mapping import Mapping
from services.coordinator.mapping.problems import FieldValueError, quoted
from services.coordinator.mapping.profiles import choose_mapping
from services.coordinator.orders import OrderReader
from shared.contracts.documents import PreviewDocument, PreviewRow, SkippedBy
from shared.contracts.requests import JobRequest
from shared.contracts.source import Source
from shared.errors import NO_SHIP_FROM, REQUEST_MALFORMED, ErrorBody, TallyError
from shared.shipping import Money, ServiceLevel
from shared.sources import Snapshot, as_read, check_writable, open_source, resolve_source


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
        async with self.read(request, to_ship=to_ship) as (source, snapshot):
            mapping = await self.mapping(request, snapshot)
            mapping.check(snapshot.columns)
            yield await self.batch(request, source, snapshot, mapping)

    @asynccontextmanager
    async def read(self, request: JobRequest, *, to_ship: bool) -> AsyncIterator[tuple[Source, Snapshot]]:
        """The request's source as it is read, and what is in it. Raises E-1xxx."""
        roots, connections = self._settings.source_roots, self._settings.connections
        source = await asyncio.to_thread(resolve_source, request.source, roots, connections)
        if to_ship:
            await asyncio.to_thread(check_writable, source, connections)
        snapshot = await asyncio.to_thread(open_source, source, roots, connections)
        try:
            yield as_read(source, snapshot), snapshot
        finally:
            await asyncio.to_thread(snapshot.close)

    async def not_writable(self, source: Source) -> ErrorBody | None:
        """Why a source would be refused since it cannot be written back to; None where it can."""
        try:
            await asyncio.to_thread(check_writable, source, self._settings.connections)
        except TallyError as error:
            return error.body
        return None

    async def mapping(self, request: JobRequest, snapshot: Snapshot) -> Mapping:
        """The mapping that a request names, or that its source's columns ask for. Raises E-2001, E-2002 or E-1006."""
        return await asyncio.to_thread(choose_mapping, request.mapping, snapshot.columns, self._settings.source_roots)

    async def batch(self, request: JobRequest, source: Source, snapshot: Snapshot, mapping: Mapping) -> Batch:
        """A source's orders by a mapping that fits it. Raises E-2020 or E-5004."""
        _check_included(request.include, mapping)
        ship_from = self._settings.ship_from
        if ship_from is None:
            raise TallyError(NO_SHIP_FROM)
        service = _service(request.service)
        settings, history = self._settings, self._history
        reader = OrderReader(mapping, ship_from, service, settings.default_weight, settings.default_size)
        ancestors = await history.ancestors(request.restart_of)
        sold = {} if request.restart_of is None else await history.numbers_sold(request.restart_of)
        return Batch(source, reader, snapshot, request, settings, history, ancestors, sold)

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
            settled=batch.settled.orders,
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
        warnings=row.warnings,
        error=error,
    )


def _check_included(included: Sequence[str], mapping: Mapping) -> None:
    known = list(dict.fromkeys(rule.reason for rule in mapping.leave_out))
    for reason in included:
        if reason not in known:
            left_out = ", ".join(known) if known else "nothing"
            raise TallyError(
                REQUEST_MALFORMED, reason=f"include {reason}: mapping {mapping.name} leaves out {left_out}"
            )


def _service(text: str | None) -> ServiceLevel | None:
    if text is None:
        return None
    try:
        return service_level(text)
    except FieldValueError as error:
        raise TallyError(REQUEST_MALFORMED, reason=f"service {quoted(error.value)}: {error.reason}") from error
