"""What a request's rows would cost by each service, told without making a job of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nats.aio.client import Client

from services.coordinator.answering import Answerer, answering
from services.coordinator.intake.batch import Batch
from services.coordinator.intake.intake import Intake
from services.coordinator.mapping.service_choice import ServiceChoice
from services.coordinator.preview.caller import tell
from services.coordinator.pricing.choosing import fits
from services.coordinator.pricing.estimate import Estimator
from services.coordinator.pricing.price import price_of
from services.coordinator.pricing.pricing import MOST_ASKED_FOR, rate_key, spread
from shared.contracts.api import CompareServices, PreviewProgress
from shared.contracts.documents import ComparisonDocument, ServiceCost
from shared.contracts.rates import Offer, Quote
from shared.errors import ErrorBody
from shared.shipping import Money, ServiceLevel, Shipment

_PROBLEMS_TOLD = 5


@dataclass
class _Rows:
    """A batch's rows that ship, by what their prices are asked for by; `own` counts them by their service as well."""

    read: int = 0
    shipments: dict[str, Shipment] = field(default_factory=dict)
    own: Counter[tuple[str, ServiceLevel]] = field(default_factory=Counter)
    many: Counter[str] = field(default_factory=Counter)
    too_many: int = 0

    def add(self, shipment: Shipment) -> None:
        """Count a row."""
        key = rate_key(shipment, whatever_service=True)
        if key not in self.shipments and len(self.shipments) >= MOST_ASKED_FOR:
            self.too_many += 1
            return
        self.shipments.setdefault(key, shipment)
        self.own[key, shipment.service] += 1
        self.many[key] += 1

    @property
    def to_ship(self) -> int:
        """How many rows ship."""
        return self.many.total() + self.too_many


class Comparisons:
    """Compares services."""

    def __init__(self, intake: Intake, estimator: Estimator, client: Client) -> None:
        self._intake = intake
        self._estimator = estimator
        self._client = client

    def calls(self) -> dict[str, Answerer]:
        """The call by its name, from a request's body to a `Reply`'s."""
        return {"compare": answering(CompareServices, self.compare)}

    async def compare(self, call: CompareServices) -> ComparisonDocument:
        """What the rows would cost by each service. Raises as Intake.open and Batch.rows do."""
        rows = _Rows()
        async with self._intake.open(call.request, to_ship=False) as batch:
            async for page in batch.rows():
                rows.read += len(page)
                for row in page:
                    if row.skipped is None:
                        rows.add(row.shipment)
                await tell(self._client, call, PreviewProgress(read=rows.read))
        quotes: dict[str, Quote] = {}

        async def heard(news: Mapping[str, Quote]) -> None:
            quotes.update(news)
            rated = sum(rows.many[key] for key in quotes)
            await tell(self._client, call, PreviewProgress(read=rows.read, to_rate=rows.to_ship, rated=rated))

        order = {key: rows.shipments[key] for key in spread(rows.shipments)}
        given_up = await self._estimator.rate(order, heard, every_service=True)
        return _document(call, batch, rows, quotes, given_up)


def _document(
    call: CompareServices, batch: Batch, rows: _Rows, quotes: Mapping[str, Quote], given_up: ErrorBody | None
) -> ComparisonDocument:
    offers: dict[ServiceLevel, list[tuple[Offer, int]]] = defaultdict(list)
    cheapest: list[tuple[Money, int]] = []
    own: list[tuple[Money, int]] = []
    problems = {} if given_up is None else {given_up.code: given_up}
    refused = 0
    for key, quote in quotes.items():
        shipment, count = rows.shipments[key], rows.many[key]
        if quote.error is not None:
            problems.setdefault(quote.error.code, quote.error)
        if not quote.is_priced:
            continue
        fitting = [offer for offer in quote.offers if fits(offer.service, shipment)]
        for offer in fitting:
            offers[offer.service].append((offer, count))
            own += [(offer.cost, many)] if (many := rows.own[key, offer.service]) else []
        best = price_of(quote, shipment, ServiceChoice())
        if best.cost is not None:
            cheapest.append((best.cost, count))
        elif best.error is not None:
            refused += count
            problems.setdefault(best.error.code, best.error)
    rated = sum(count for _, count in cheapest)
    refused += sum(rows.many[key] for key, quote in quotes.items() if quote.error is not None)
    return ComparisonDocument(
        source=batch.source,
        where=call.request.where,
        mapping=batch.mapping.name,
        total=batch.total,
        to_ship=rows.to_ship,
        skipped=batch.total - rows.to_ship,
        services=tuple(sorted((_cost(level, of) for level, of in offers.items()), key=_place)),
        cheapest=_total(cheapest),
        own=_total(own),
        own_rows=sum(count for _, count in own),
        rated=rated,
        refused=refused,
        unrated=rows.to_ship - rated - refused,
        problems=tuple(problems.values())[:_PROBLEMS_TOLD],
        notes=batch.snapshot.notes,
    )


def _cost(level: ServiceLevel, offers: list[tuple[Offer, int]]) -> ServiceCost:
    days = [offer.days for offer, _ in offers if offer.days is not None]
    arrivals = [offer.arrival for offer, _ in offers if offer.arrival is not None]
    return ServiceCost(
        service=level.value,
        rows=sum(count for _, count in offers),
        cost=_total((offer.cost, count) for offer, count in offers),
        fewest_days=min(days) if len(days) == len(offers) else None,
        most_days=max(days) if len(days) == len(offers) else None,
        last_arrival=max(arrivals) if len(arrivals) == len(offers) else None,
    )


def _place(cost: ServiceCost) -> tuple[int, object]:
    return -cost.rows, cost.cost.amount


def _total(prices: Iterable[tuple[Money, int]]) -> Money:
    return Money.total(price * count for price, count in prices)
