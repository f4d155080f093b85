"""Service levels and UPS's codes for them (UPS Shipping v2409, Service/Code)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shared.shipping import ServiceLevel

CODES: Mapping[ServiceLevel, str] = MappingProxyType(
    {
        ServiceLevel.NEXT_DAY_AIR: "01",
        ServiceLevel.SECOND_DAY_AIR: "02",
        ServiceLevel.GROUND: "03",
        ServiceLevel.WORLDWIDE_EXPRESS: "07",
        ServiceLevel.WORLDWIDE_EXPEDITED: "08",
        ServiceLevel.STANDARD: "11",
        ServiceLevel.THREE_DAY_SELECT: "12",
        ServiceLevel.NEXT_DAY_AIR_SAVER: "13",
        ServiceLevel.NEXT_DAY_AIR_EARLY: "14",
        ServiceLevel.WORLDWIDE_EXPRESS_PLUS: "54",
        ServiceLevel.SECOND_DAY_AIR_AM: "59",
        ServiceLevel.WORLDWIDE_SAVER: "65",
    }
)
LEVELS: Mapping[str, ServiceLevel] = MappingProxyType({code: level for level, code in CODES.items()})


def code_of(level: ServiceLevel) -> str:
    """UPS's two-digit code for a service level."""
    return CODES[level]


def level_of(code: str) -> ServiceLevel | None:
    """The service level that UPS's `code` stands for; None for a service that is not offered here."""
    return LEVELS.get(code)
