"""What a request would cost, told without making a job of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from nats.aio.client import Client

from services.coordinator.batch import Batch
from services.coordinator.database.intake import NewRow, destination
from services.coordinator.estimate import Estimator
from services.coordinator.intake import Intake
from services.coordinator.price import Price
from services.coordinator.pricing import Pricing, Ticket
from shared.contracts.api import PreviewProgress, PreviewSource
from shared.contracts.documents import PreviewDocument, PreviewRow, SkippedBy
from shared.contracts.rates import Quote
from shared.shipping import Money

_ROWS_A_MESSAGE = 200


@dataclass
class _Counts:
    """A batch's rows as they are read: those to ship by what their price is asked for by, and the others."""

    priced: Counter[Ticket] = field(default_factory=Counter)
    skipped_by: Counter[str | None] = field(default_factory=Counter)
    read: int = 0
    to_ship: int = 0
    again: int = 0
    warned: int = 0
    rated: int = 0
    listed: list[tuple[PreviewRow, Ticket | None]] = field(default_factory=list)

    def note(self, row: NewRow, ticket: Ticket | None, *, listed: bool) -> None:
        """Count a row, which has a ticket if it ships; keep it where it is to be listed."""
        self.read += 1
        self.warned += bool(row.warnings)
        if listed:
            self.listed.append((_preview_row(self.read, row), ticket))
        if ticket is None:
            if row.shipped_before is not None:
                self.skipped_by[row.shipped_before.job_id] += 1
            return
        self.to_ship += 1
        self.priced[ticket] += 1
        self.again += row.shipped_before is not None


class Previews:
    """Makes previews."""

    def __init__(self, intake: Intake, estimator: Estimator, client: Client) -> None:
        self._intake = intake
        self._estimator = estimator
        self._client = client

    async def preview(self, call: PreviewSource) -> PreviewDocument:
        """What the request would cost, every row rated or estimated. Raises as Intake.open and Batch.rows do."""
        pricing = Pricing(self._estimator)
        counts = _Counts()
        async with self._intake.open(call.request, to_ship=False) as batch:
            async for rows in batch.rows():
                for row in rows:
                    ticket = pricing.add(row.shipment) if row.skipped is None else None
                    counts.note(row, ticket, listed=call.every_row or len(counts.listed) < call.limit)
                await self._tell(call, PreviewProgress(read=counts.read))
        by_key = Counter[str | None]()
        for ticket, count in counts.priced.items():
            by_key[ticket.key] += count

        async def heard(quotes: Mapping[str, Quote]) -> None:
            counts.rated += sum(by_key[key] for key in quotes)
            await self._tell(call, PreviewProgress(read=counts.read, to_rate=counts.to_ship, rated=counts.rated))

        await heard({})
        await pricing.rate(heard)
        rows_listed = [_priced(row, ticket, pricing) for row, ticket in counts.listed]
        if call.every_row:
            for start in range(0, len(rows_listed), _ROWS_A_MESSAGE):
                page = tuple(rows_listed[start : start + _ROWS_A_MESSAGE])
                done = PreviewProgress(read=counts.read, to_rate=counts.to_ship, rated=counts.rated, rows=page)
                await self._tell(call, done)
        return _document(call, batch, counts, pricing, rows_listed)

    async def _tell(self, call: PreviewSource, progress: PreviewProgress) -> None:
        if call.progress is not None:
            await self._client.publish(call.progress, progress.encode())


def _document(
    call: PreviewSource, batch: Batch, counts: _Counts, pricing: Pricing, rows: list[PreviewRow]
) -> PreviewDocument:
    prices = [(pricing.price(ticket), count) for ticket, count in counts.priced.items()]
    return PreviewDocument(
        source=batch.source,
        where=call.request.where,
        mapping=batch.mapping.name,
        total=batch.total,
        to_ship=counts.to_ship,
        skipped=batch.total - counts.to_ship,
        estimate=_total(prices),
        rated=sum(count for price, count in prices if price.cost is not None and not price.estimated),
        estimated=sum(count for price, count in prices if price.estimated),
        unrated=sum(count for price, count in prices if price.cost is None),
        warned=counts.warned,
        rows=tuple(rows[: call.limit]),
        skipped_by=tuple(SkippedBy(job_id=job_id, count=count) for job_id, count in counts.skipped_by.most_common()),
        shipped_again=counts.again,
        settled=batch.settled.orders,
        notes=batch.snapshot.notes,
    )


def _total(prices: list[tuple[Price, int]]) -> Money:
    return Money.total(
        Money(amount=price.cost.amount * count, currency=price.cost.currency)
        for price, count in prices
        if price.cost is not None
    )


def _preview_row(number: int, row: NewRow) -> PreviewRow:
    return PreviewRow(
        row_number=number,
        recipient=row.shipment.recipient.name,
        destination=destination(row.shipment),
        service=row.shipment.service,
        skipped=None if row.skipped is None else row.skipped.message,
        shipped_before=row.shipped_before,
        warnings=row.warnings,
    )


def _priced(row: PreviewRow, ticket: Ticket | None, pricing: Pricing) -> PreviewRow:
    if ticket is None:
        return row
    price = pricing.price(ticket)
    return row.model_copy(update={"estimate": price.cost, "estimated": price.estimated, "error": price.error})
