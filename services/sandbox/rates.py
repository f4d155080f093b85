"""What a shipment costs: a pure function of service, zone, billable weight and residential flag.

The figures are the sandbox's own; only their shape is UPS's: dimensional weight with divisor 139, whole pounds, a zone,
a residential surcharge per package, negotiated rates below the published ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from services.sandbox.lanes import Place, is_domestic, zone

DIMENSIONAL_DIVISOR = 139
NEGOTIATED_SHARE = Decimal("0.72")
# Per package: for a signature, for Saturday, and for each hundred dollars of declared value where it is more than one.
SIGNATURE_FEE = Decimal("6.30")
ADULT_SIGNATURE_FEE = Decimal("8.10")
SATURDAY_FEE = Decimal("17.00")
DECLARED_VALUE_FEE = Decimal("1.30")
RESIDENTIAL_SURCHARGE = Decimal("5.95")
_CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")
_HUNDRED = Decimal(100)
_INCH = Decimal(1)
_NEAREST_ZONE = 2
_ZONES_PER_EXTRA_DAY = 2
_FRIDAY = 4


@dataclass(frozen=True)
class Service:
    """A service and its tariff: dollars for the first pound in zone 2, per further pound, and per zone beyond 2.

    `days` is the transit time in business days, in zone 2; `by_zone` says that distance adds to it.
    """

    code: str
    name: str
    base: Decimal
    per_pound: Decimal
    per_zone: Decimal
    days: int
    domestic: bool = True
    by_zone: bool = False
    countries: frozenset[str] | None = None

    @property
    def on_saturdays(self) -> bool:
        """Whether it is delivered on Saturdays."""
        return self.code in _ON_SATURDAYS

    def runs(self, origin: Place, destination: Place) -> bool:
        """Whether the service runs from `origin` to `destination`."""
        if self.domestic != is_domestic(origin, destination):
            return False
        return self.countries is None or {origin.country, destination.country} <= self.countries


def _domestic(code: str, name: str, tariff: str, days: int, *, by_zone: bool = False) -> Service:
    base, per_pound, per_zone = map(Decimal, tariff.split())
    return Service(code, name, base, per_pound, per_zone, days, by_zone=by_zone)


def _abroad(code: str, name: str, tariff: str, days: int, countries: frozenset[str] | None = None) -> Service:
    base, per_pound, per_zone = map(Decimal, tariff.split())
    return Service(code, name, base, per_pound, per_zone, days, domestic=False, countries=countries)


_NORTH_AMERICA = frozenset({"US", "CA", "MX"})
_ON_SATURDAYS = frozenset({"01", "02", "07", "14", "54"})
SERVICES = {
    service.code: service
    for service in (
        _domestic("01", "UPS Next Day Air", "38.50 2.10 4.75", 1),
        _domestic("02", "UPS 2nd Day Air", "21.40 1.35 2.60", 2),
        _domestic("03", "UPS Ground", "9.65 0.42 0.85", 1, by_zone=True),
        _abroad("07", "UPS Worldwide Express", "88.00 6.40 5.10", 2),
        _abroad("08", "UPS Worldwide Expedited", "71.50 5.20 4.30", 4),
        _abroad("11", "UPS Standard", "24.30 1.15 2.20", 3, _NORTH_AMERICA),
        _domestic("12", "UPS 3 Day Select", "16.80 0.95 1.70", 3),
        _domestic("13", "UPS Next Day Air Saver", "34.20 1.95 4.40", 1),
        _domestic("14", "UPS Next Day Air Early", "69.00 2.10 4.75", 1),
        _abroad("54", "UPS Worldwide Express Plus", "129.00 6.90 5.60", 1),
        _domestic("59", "UPS 2nd Day Air A.M.", "25.10 1.50 2.85", 2),
        _abroad("65", "UPS Worldwide Saver", "80.60 5.90 4.80", 2),
    )
}


@dataclass(frozen=True)
class Parcel:
    """One package: `weight` in pounds, `dimensions` (length, width, height) in inches where given.

    `fee` is what its options cost, in US dollars.
    """

    weight: Decimal
    dimensions: tuple[Decimal, Decimal, Decimal] | None = None
    fee: Decimal = Decimal("0.00")


@dataclass(frozen=True)
class Charges:
    """What one shipment costs by one service, in US dollars; each parcel has one of `bases`, `surcharges`, `fees`."""

    bases: tuple[Decimal, ...]
    surcharges: tuple[Decimal, ...]
    fees: tuple[Decimal, ...]
    billable_weight: int
    zone: int

    @property
    def total(self) -> Decimal:
        """The published charge."""
        return self.transportation + sum(self.fees, _NOTHING)

    @property
    def transportation(self) -> Decimal:
        """The published charge without the fees for options."""
        return sum(self.bases + self.surcharges, _NOTHING)

    @property
    def negotiated(self) -> Decimal:
        """The charge under the account's negotiated rates."""
        return (self.total * NEGOTIATED_SHARE).quantize(_CENT, ROUND_HALF_UP)


def billable_weight(parcel: Parcel) -> int:
    """Pounds billed for a parcel: the greater of actual and dimensional weight, rounded up, at least 1."""
    weights = [parcel.weight]
    if parcel.dimensions is not None:
        length, width, height = (side.quantize(_INCH, ROUND_HALF_UP) for side in parcel.dimensions)
        weights.append(length * width * height / DIMENSIONAL_DIVISOR)
    return max(1, int(max(weights).to_integral_value(ROUND_CEILING)))


def charges(service: Service, origin: Place, destination: Place, parcels: Sequence[Parcel]) -> Charges:
    """What `parcels` cost from `origin` to `destination` by `service`."""
    lane_zone = zone(origin, destination)
    weights = [billable_weight(parcel) for parcel in parcels]
    distance = service.per_zone * (lane_zone - _NEAREST_ZONE)
    surcharge = RESIDENTIAL_SURCHARGE if destination.residential else Decimal("0.00")
    return Charges(
        bases=tuple(
            (service.base + service.per_pound * (weight - 1) + distance).quantize(_CENT, ROUND_HALF_UP)
            for weight in weights
        ),
        surcharges=(surcharge,) * len(weights),
        fees=tuple(parcel.fee for parcel in parcels),
        billable_weight=sum(weights),
        zone=lane_zone,
    )


def declared_value_fee(value: Decimal) -> Decimal:
    """What declaring a package's `value` in US dollars costs: nothing up to a hundred."""
    if value <= _HUNDRED:
        return _NOTHING
    return DECLARED_VALUE_FEE * (value / _HUNDRED).to_integral_value(ROUND_CEILING)


def business_days(service: Service, lane_zone: int) -> int:
    """Business days from pick-up to delivery."""
    extra = (lane_zone - _NEAREST_ZONE + 1) // _ZONES_PER_EXTRA_DAY if service.by_zone else 0
    return service.days + extra


def arrival(pickup: date, days: int) -> date:
    """The date `days` business days after `pickup`."""
    day = pickup
    while days:
        day += timedelta(days=1)
        days -= day.weekday() <= _FRIDAY
    return day
