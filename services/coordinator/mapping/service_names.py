"""The names and codes by which people and programs call UPS's services."""

from __future__ import annotations

from services.coordinator.mapping.text import normalised
from shared.shipping import ServiceLevel

# Two-digit codes are UPS's own (Shipping v2409, Service/Code), three-letter ones those of UPS WorldShip. A single digit
# is left out: 3 may be code 03 (Ground) without its zero, or 3 Day Select.
_NAMES: dict[ServiceLevel, tuple[str, ...]] = {
    ServiceLevel.GROUND: ("03", "GND", "Ground", "Ground Commercial", "Ground Residential"),
    ServiceLevel.THREE_DAY_SELECT: ("12", "3DS", "3 Day Select", "Three Day Select", "3 Day", "3 Day Air"),
    ServiceLevel.SECOND_DAY_AIR: (
        "02", "2DA", "2nd Day Air", "2nd Day", "Second Day Air", "Second Day", "2 Day Air", "2 Day", "Two Day",
    ),
    ServiceLevel.SECOND_DAY_AIR_AM: ("59", "2DM", "2nd Day Air A.M.", "Second Day Air A.M.", "2nd Day A.M."),
    ServiceLevel.NEXT_DAY_AIR_SAVER: ("13", "1DP", "Next Day Air Saver", "Next Day Saver"),
    ServiceLevel.NEXT_DAY_AIR: ("01", "1DA", "Next Day Air", "Next Day", "Overnight", "1 Day"),
    ServiceLevel.NEXT_DAY_AIR_EARLY: (
        "14", "1DM", "Next Day Air Early", "Next Day Air Early A.M.", "Next Day Early", "Next Day Early A.M.",
    ),
    ServiceLevel.STANDARD: ("11", "Standard"),
    ServiceLevel.WORLDWIDE_EXPRESS: ("07", "Worldwide Express"),
    ServiceLevel.WORLDWIDE_EXPRESS_PLUS: ("54", "Worldwide Express Plus", "Express Plus"),
    ServiceLevel.WORLDWIDE_EXPEDITED: ("08", "Worldwide Expedited", "Expedited"),
    ServiceLevel.WORLDWIDE_SAVER: ("65", "Worldwide Saver", "Worldwide Express Saver", "Saver"),
}  # fmt: skip

SERVICE_LEVELS = {
    normalised(prefix + name): level
    for level, names in _NAMES.items()
    for name in (level.value, *names)
    for prefix in ("", "UPS ")
}
