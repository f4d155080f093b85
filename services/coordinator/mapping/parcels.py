"""An order's parcels: so many alike, or one for each of its rows."""

from __future__ import annotations

from decimal import Decimal

from services.coordinator.mapping.amounts import declared_value, whole_number
from services.coordinator.mapping.fields import PACKAGE_FIELDS, Fields
from services.coordinator.mapping.filters import inches, pounds
from services.coordinator.mapping.problems import FieldValueError
from services.coordinator.mapping.reading import RowReader
from shared.shipping import Dimensions, Package
from shared.shipping.shipment import MOST_PACKAGES

_HEAVIEST = 150  # pounds per package, UPS Shipping v2409
_SIDES = ("length", "width", "height")

# The parcels of orders by what rows say of them: most orders are in one of a few boxes.
_PACKAGES: dict[tuple[object, ...], tuple[Package, ...]] = {}
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 4096, 100  # of them, and characters of what is said


def read_packages(
    row: RowReader, fields: Fields, currency: str, default_weight: Decimal | None, default_size: Dimensions | None
) -> tuple[Package, ...]:
    """The parcels of an order; what is wrong with them is among the problems of `row`, and the tuple is then short.

    Weight, size and declared value are one parcel's. `default_weight` (pounds) and `default_size` count where there is
    none.
    """
    if not fields.packages:
        return _alike(row, currency, default_weight, default_size)
    readers = [row.part(number, part) for number, part in fields.packages]
    alike = [_alike(reader, currency, default_weight, default_size) for reader in readers]
    packages = tuple(package for some in alike for package in some)
    if len(packages) > MOST_PACKAGES:
        row.refuse("packages", str(len(packages)), f"at most {MOST_PACKAGES} in one shipment")
    return packages


def _alike(
    row: RowReader, currency: str, default_weight: Decimal | None, default_size: Dimensions | None
) -> tuple[Package, ...]:
    """Parcels of which nothing differs; those of earlier rows that said the same of theirs."""
    said = (row.said(PACKAGE_FIELDS), currency, default_weight, default_size)
    # Another thread may forget them all at any time.
    known = _PACKAGES.get(said)
    if known is None:
        known = _read(row, currency, default_weight, default_size)
        if known and sum(map(len, said[0])) <= _LONGEST_REMEMBERED:
            if len(_PACKAGES) >= _MOST_REMEMBERED:
                _PACKAGES.clear()
            _PACKAGES[said] = known
    return known


def _read(
    row: RowReader, currency: str, default_weight: Decimal | None, default_size: Dimensions | None
) -> tuple[Package, ...]:
    default = format(default_weight, "f") if default_weight is not None else ""
    weight = row.parsed("weight", _package_weight, blank=None, default=default, needed=True)
    sides = {side: row.parsed(side, inches, blank=None) for side in _SIDES}
    if any(sides.values()):
        for side in _SIDES:
            row.text(side, needed=True)
    value = row.parsed("declared_value", declared_value, currency, blank=None)
    count = row.parsed("packages", _number_of_packages, blank=1)
    if weight is None or row.problems:
        return ()
    size = Dimensions.model_validate(sides) if any(sides.values()) else default_size
    return (Package(weight=weight, dimensions=size, declared_value=value),) * count


def _package_weight(text: str) -> Decimal:
    weight = pounds(text)
    if weight > _HEAVIEST:
        raise FieldValueError(text, f"more than {_HEAVIEST} lb, the most a package may weigh")
    return weight


def _number_of_packages(text: str) -> int:
    count = whole_number(text)
    if count > MOST_PACKAGES:
        raise FieldValueError(text, f"at most {MOST_PACKAGES} in one shipment")
    return count
