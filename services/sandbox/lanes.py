"""Where a shipment goes: places, zones, and what a lane allows."""

from __future__ import annotations

from dataclasses import dataclass

DOMESTIC = frozenset({"US", "PR"})
_NEIGHBOURS = {"CA": 10, "MX": 11}
_FIRST_OVERSEAS_ZONE = 12
_OVERSEAS_ZONES = 4
_NEAREST, _FARTHEST, _REMOTE = 2, 8, 9
# First three digits of the ZIP codes of Puerto Rico, the Virgin Islands, Hawaii, Guam and Alaska.
_REMOTE_PREFIXES = frozenset({*range(6, 10), *range(967, 970), *range(995, 1000)})
_PREFIXES_PER_ZONE = 125


@dataclass(frozen=True)
class Place:
    """An address as far as price and transit depend on it; `country` is ISO 3166-1 alpha-2."""

    country: str
    postal_code: str = ""
    state: str = ""
    city: str = ""
    residential: bool = False


def is_domestic(origin: Place, destination: Place) -> bool:
    """Whether the domestic services run on this lane: both ends in the US or Puerto Rico."""
    return origin.country in DOMESTIC and destination.country in DOMESTIC


def takes_package_references(origin: Place, destination: Place) -> bool:
    """Whether references belong to the packages (US→US, PR→PR) rather than to the shipment (every other lane)."""
    return origin.country == destination.country and origin.country in DOMESTIC


def zone(origin: Place, destination: Place) -> int:
    """The rate zone: 2 to 8 by the distance of the two ZIP prefixes, 9 remote, 10 and above international."""
    if not is_domestic(origin, destination):
        abroad = destination.country if destination.country not in DOMESTIC else origin.country
        return _NEIGHBOURS.get(abroad) or _FIRST_OVERSEAS_ZONE + sum(map(ord, abroad)) % _OVERSEAS_ZONES
    start, end = _prefix(origin), _prefix(destination)
    if (start in _REMOTE_PREFIXES) != (end in _REMOTE_PREFIXES):
        return _REMOTE
    return min(_FARTHEST, _NEAREST + abs(start - end) // _PREFIXES_PER_ZONE)


def _prefix(place: Place) -> int:
    return int(place.postal_code[:3])
