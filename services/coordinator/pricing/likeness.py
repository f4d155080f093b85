"""What a shipment that nobody rated probably costs: what a rated one like it does. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import NamedTuple

from shared.shipping import Money, Package, Shipment

_CUBIC_INCHES_A_POUND = 139
_NEARBY, _REGION = 3, 1
_CENT = Decimal("0.01")
_POUND, _TENTH = Decimal(1), Decimal("0.1")

# A rated parcel: what is billed for it, in pounds, and its cost.
_Sample = tuple[Decimal, Decimal]


class Likeness(NamedTuple):
    """What a shipment's price depends on: service, lane, and `packages` of `weight` pounds each, as they are billed.

    `origin` and `country` tell the lane, `place` is how the postal code begins where it ends; `options` are what is
    asked for besides.
    """

    service: str
    origin: str
    country: str
    place: str
    residential: bool
    packages: int
    weight: Decimal
    options: str = ""


def likeness(shipment: Shipment) -> Likeness:
    """A shipment's likeness."""
    to, origin = shipment.recipient.address, shipment.ship_from.address
    count = len(shipment.packages)
    return Likeness(
        service=shipment.service,
        origin=f"{origin.country} {origin.postal_code}",
        country=to.country,
        place=to.postal_code[:_NEARBY],
        residential=to.residential,
        packages=count,
        weight=(sum((billable(package) for package in shipment.packages), Decimal(0)) / count).quantize(_CENT),
        options=f"{shipment.signature} {shipment.saturday_delivery}",
    )


def billable(package: Package) -> Decimal:
    """Pounds that a parcel is billed by: its weight, or what its size counts for where that is more."""
    if package.dimensions is None:
        return package.weight
    box = package.dimensions
    return max(package.weight, box.length * box.width * box.height / _CUBIC_INCHES_A_POUND)


class LikelyCosts:
    """The costs of rated shipments, from which those of others are estimated."""

    def __init__(self, rated: Iterable[tuple[Likeness, Money]]) -> None:
        self._parcels: dict[Hashable, list[_Sample]] = defaultdict(list)
        self._currencies: dict[str, str] = {}
        for shipment, cost in rated:
            # An account is charged in one currency; were it another, its amounts would tell nothing of the others.
            if self._currencies.setdefault(shipment.service, cost.currency) == cost.currency:
                for key in (*_near(shipment), *_far(shipment), shipment.service):
                    self._parcels[key].append((shipment.weight, cost.amount / shipment.packages))
        for samples in self._parcels.values():
            samples.sort()

    def of(self, shipment: Likeness) -> Money | None:
        """What `shipment` costs if it costs what is rated most like it; None where nothing by its service is.

        That is the parcel nearest in weight, at most a pound or a tenth away, to the same place or else its region; or
        the nearest one on the lane; or the average of the service.
        """
        a_parcel = self._a_parcel(shipment)
        if a_parcel is None:
            return None
        amount = (a_parcel * shipment.packages).quantize(_CENT)
        return Money(amount=amount, currency=self._currencies[shipment.service])

    def _a_parcel(self, shipment: Likeness) -> Decimal | None:
        close = max(_POUND, shipment.weight * _TENTH)
        for key in _near(shipment):
            if (nearest := self._nearest(key, shipment.weight)) and abs(nearest[0] - shipment.weight) <= close:
                return nearest[1]
        for key in _far(shipment):
            if nearest := self._nearest(key, shipment.weight):
                return nearest[1]
        by_service = self._parcels.get(shipment.service)
        return sum((cost for _, cost in by_service), Decimal(0)) / len(by_service) if by_service else None

    def _nearest(self, key: Hashable, weight: Decimal) -> _Sample | None:
        samples = self._parcels.get(key)
        if not samples:
            return None
        at = bisect_left(samples, (weight, Decimal(0)))
        return min(samples[max(at - 1, 0) : at + 1], key=lambda sample: abs(sample[0] - weight))


def _near(shipment: Likeness) -> tuple[Hashable, ...]:
    lane = (shipment.service, shipment.origin, shipment.country, shipment.residential, shipment.options)
    return (*lane, shipment.place), (*lane, shipment.place[:_REGION], "")


def _far(shipment: Likeness) -> tuple[Hashable, ...]:
    lane = (shipment.service, shipment.origin, shipment.country)
    return (*lane, shipment.residential, shipment.options), lane
