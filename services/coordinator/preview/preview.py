"""What a request would cost, told without making a job of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nats.aio.client import Client

from services.coordinator.database.new_rows import NewRow, RefusedRow
from services.coordinator.intake.batch import Batch
from services.coordinator.intake.intake import Intake, choice_of
from services.coordinator.intake.judging import TakenRow
from services.coordinator.preview.caller import tell
from services.coordinator.pricing.address_checks import AddressChecks, Directory
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.price import Price, cannot_ship, negotiation_notes
from services.coordinator.pricing.pricing import Heard, Pricing, Ticket
from shared.cancelling import together
from shared.contracts.api import PreviewProgress, PreviewSource
from shared.contracts.documents import PreviewDocument, PreviewRow, SkippedBy
from shared.errors import ErrorBody
from shared.shipping import Money

_ROWS_A_MESSAGE = 200


class _Asked(NamedTuple):
    """What a row's price and its address's warnings are asked for by; `warned` says that it has others."""

    ticket: Ticket
    place: str | None
    warned: bool


@dataclass
class _Counts:
    """A batch's rows as they are read: those to ship by what is asked for them, and the others."""

    asked: Counter[_Asked] = field(default_factory=Counter)
    skipped_by: Counter[str | None] = field(default_factory=Counter)
    read: int = 0
    to_ship: int = 0
    again: int = 0
    rated: int = 0
    listed: list[tuple[PreviewRow, _Asked | None]] = field(default_factory=list)

    def note(self, row: TakenRow, asked: _Asked | None, *, listed: bool) -> None:
        """Count a row, for which something is asked if it ships; keep it where it is to be listed."""
        self.read += 1
        if listed:
            self.listed.append((_preview_row(self.read, row), asked))
        if isinstance(row, RefusedRow):
            return
        if asked is None:
            if row.shipped_before is not None:
                self.skipped_by[row.shipped_before.job_id] += 1
            return
        self.to_ship += 1
        self.asked[asked] += 1
        self.again += row.shipped_before is not None


class Previews:
    """Makes previews."""

    def __init__(self, intake: Intake, estimator: Estimator, directory: Directory, client: Client) -> None:
        self._intake = intake
        self._estimator = estimator
        self._directory = directory
        self._client = client

    async def preview(self, call: PreviewSource) -> PreviewDocument:
        """What the request would cost, every row rated or estimated. Raises as Intake.open and Batch.rows do."""
        pricing, checks = Pricing(self._estimator, choice_of(call.request)), AddressChecks(self._directory)
        counts = _Counts()
        async with self._intake.open(call.request, to_ship=False) as batch:
            async for rows in batch.rows():
                for row in rows:
                    asked = None
                    if isinstance(row, NewRow) and row.skipped is None:
                        place = checks.add(row.shipment.recipient.address)
                        asked = _Asked(pricing.add(row.shipment), place, bool(row.warnings))
                    counts.note(row, asked, listed=call.every_row or len(counts.listed) < call.limit)
                await tell(self._client, call, PreviewProgress(read=counts.read))
        by_key = Counter[str | None]()
        for asked, count in counts.asked.items():
            by_key[asked.ticket.key] += count

        async def heard(news: Heard) -> None:
            counts.rated += sum(by_key[key] for key in news.answered)
            await tell(
                self._client, call, PreviewProgress(read=counts.read, to_rate=counts.to_ship, rated=counts.rated)
            )

        await heard(Heard({}, ()))
        await together(pricing.rate(heard), checks.check())
        rows_listed = [_priced(call, row, asked, pricing, checks) for row, asked in counts.listed]
        if call.every_row:
            for start in range(0, len(rows_listed), _ROWS_A_MESSAGE):
                page = tuple(rows_listed[start : start + _ROWS_A_MESSAGE])
                done = PreviewProgress(read=counts.read, to_rate=counts.to_ship, rated=counts.rated, rows=page)
                await tell(self._client, call, done)
        return _document(call, batch, counts, pricing, checks, rows_listed)


def _document(
    call: PreviewSource,
    batch: Batch,
    counts: _Counts,
    pricing: Pricing,
    checks: AddressChecks,
    rows: list[PreviewRow],
) -> PreviewDocument:
    every = [(pricing.price(asked.ticket), asked, count) for asked, count in counts.asked.items()]
    judged = [(price, asked, count) for price, asked, count in every if not _is_left_out(call, price)]
    to_ship = sum(count for _, _, count in judged)
    prices = [(price, count) for price, _, count in judged]
    warned = sum(
        count for price, asked, count in judged if asked.warned or price.warnings or checks.warnings(asked.place)
    )
    published = sum(count for price, count in prices if not price.negotiated)
    return PreviewDocument(
        source=batch.source,
        where=call.request.where,
        mapping=batch.mapping.name,
        total=batch.total,
        to_ship=to_ship,
        skipped=batch.total - to_ship,
        refused=batch.invalid + counts.to_ship - to_ship,
        problems=(*batch.problems, *_problems(rows)),
        estimate=_total(prices),
        rated=sum(count for price, count in prices if price.cost is not None and not price.estimated),
        estimated=sum(count for price, count in prices if price.estimated),
        unrated=sum(count for price, count in prices if price.cost is None),
        warned=warned,
        rows=tuple(rows[: call.limit]),
        skipped_by=tuple(SkippedBy(job_id=job_id, count=count) for job_id, count in counts.skipped_by.most_common()),
        shipped_again=counts.again,
        settled=batch.settled.orders,
        notes=(*batch.snapshot.notes, *checks.notes(), *negotiation_notes(published)),
    )


def _total(prices: list[tuple[Price, int]]) -> Money:
    return Money.total(price.cost * count for price, count in prices if price.cost is not None)


def _preview_row(number: int, row: TakenRow) -> PreviewRow:
    shown = PreviewRow(
        row_number=number,
        recipient=row.recipient,
        destination=row.destination,
        service="",
        skipped=None if row.skipped is None else row.skipped.message,
    )
    if isinstance(row, RefusedRow):
        return shown.model_copy(update={"error": row.skipped})
    told = {"service": row.service, "shipped_before": row.shipped_before, "warnings": row.warnings}
    return shown.model_copy(update=told)


def _is_left_out(call: PreviewSource, price: Price) -> bool:
    return call.request.skip_invalid and cannot_ship(price.error)


def _problems(rows: Sequence[PreviewRow]) -> list[ErrorBody]:
    """Why rows are left out that the carrier has nothing for, those that are listed."""
    refused = [(row.row_number, row.error) for row in rows if row.skipped is not None and cannot_ship(row.error)]
    return [error.model_copy(update={"row": number}) for number, error in refused if error is not None]


def _priced(
    call: PreviewSource, row: PreviewRow, asked: _Asked | None, pricing: Pricing, checks: AddressChecks
) -> PreviewRow:
    if asked is None:
        return row
    price = pricing.price(asked.ticket)
    if price.error is not None and _is_left_out(call, price):
        return row.model_copy(update={"error": price.error, "skipped": price.error.message})
    return row.model_copy(
        update={
            "estimate": price.cost,
            "estimated": price.estimated,
            "error": price.error,
            "service": row.service if price.service is None else price.service,
            "warnings": (*row.warnings, *price.warnings, *checks.warnings(asked.place)),
        }
    )
