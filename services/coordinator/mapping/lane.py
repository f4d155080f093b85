"""From where to where an order goes, and what the carrier has and wants on that way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from services.coordinator.mapping.filters import service_level, yes_no
from services.coordinator.mapping.reading import RowReader
from shared.shipping import Contact, ServiceLevel, crosses_customs
from shared.shipping.lane import EUROPEAN_UNION, UNITED_STATES

# Where UPS Standard goes by road.
_ROADS = (UNITED_STATES | {"CA", "MX"}, EUROPEAN_UNION)
ON_SATURDAYS = frozenset(
    {
        ServiceLevel.NEXT_DAY_AIR,
        ServiceLevel.NEXT_DAY_AIR_EARLY,
        ServiceLevel.SECOND_DAY_AIR,
        ServiceLevel.WORLDWIDE_EXPRESS,
        ServiceLevel.WORLDWIDE_EXPRESS_PLUS,
    }
)


@dataclass(frozen=True)
class Lane:
    """From country to country, as customs counts them; blank where a row does not tell."""

    origin: str
    destination: str

    @cached_property
    def is_abroad(self) -> bool:
        """Whether the carrier treats it as going abroad: the US and Puerto Rico are one country to it."""
        if self.origin == self.destination or not (self.origin and self.destination):
            return False
        return not {self.origin, self.destination} <= UNITED_STATES

    @cached_property
    def crosses_customs(self) -> bool:
        """Whether customs is told what is sent."""
        return self.is_abroad and crosses_customs(self.origin, self.destination)

    @property
    def is_by_road(self) -> bool:
        """Whether UPS Standard goes that way."""
        return any({self.origin, self.destination} <= area for area in _ROADS)


@lru_cache(maxsize=1024)
def lane_between(origin: str, destination: str) -> Lane:
    """The lane from country to country: a source's orders share a few."""
    return Lane(origin, destination)


def read_service(row: RowReader, lane: Lane, *, is_open: bool = False) -> ServiceLevel:
    """The service that a row names, or the one that goes by land; one that goes overseas has to be named.

    With `is_open` it is chosen later: what the row names does not matter.
    """
    by_land = ServiceLevel.STANDARD if lane.is_abroad else ServiceLevel.GROUND
    if is_open:
        return by_land
    if lane.is_abroad and not lane.is_by_road and not row.says("service"):
        action = "Name one, such as worldwide_saver or worldwide_expedited."
        row.miss("service", f"nothing goes from {lane.origin} to {lane.destination} by ground", action)
    return row.parsed("service", service_level, blank=by_land)


def check_phones(row: RowReader, lane: Lane, level: ServiceLevel, shipper: Contact | None) -> None:
    """UPS wants the recipient's number abroad and for its earliest service, the shipper's abroad (Shipping v2409)."""
    if lane.is_abroad and shipper is not None and not shipper.phone:
        reason = f"it has no phone, which the carrier wants for parcels to {lane.destination}"
        row.refuse("ship_from", shipper.name, reason, action="Set its phone in the settings.")
    if row.says("phone"):
        return
    if lane.is_abroad:
        row.miss("phone", f"the carrier wants one for parcels to {lane.destination}", "Fill it in.")
    elif level is ServiceLevel.NEXT_DAY_AIR_EARLY:
        row.miss("phone", f"the carrier wants one for {level.value}", "Fill it in, or choose another service.")


def read_saturday(row: RowReader, level: ServiceLevel | None) -> bool:
    """Whether a row asks for Saturday delivery, which its service must have; None is one that is still to be chosen."""
    wanted = row.parsed("saturday_delivery", yes_no, blank=False)
    if wanted and level is not None and level not in ON_SATURDAYS:
        offered = ", ".join(each.value for each in ServiceLevel if each in ON_SATURDAYS)
        row.refuse("saturday_delivery", "yes", f"{level.value} is not delivered on Saturdays; {offered} are")
    return wanted
