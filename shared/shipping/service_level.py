"""Service levels by the names people use; each carrier maps them to its own codes."""

from enum import StrEnum


class ServiceLevel(StrEnum):
    """How fast and by what product a shipment travels."""

    GROUND = "ground"
    THREE_DAY_SELECT = "3_day_select"
    SECOND_DAY_AIR = "2nd_day_air"
    SECOND_DAY_AIR_AM = "2nd_day_air_am"
    NEXT_DAY_AIR_SAVER = "next_day_air_saver"
    NEXT_DAY_AIR = "next_day_air"
    NEXT_DAY_AIR_EARLY = "next_day_air_early"
    STANDARD = "standard"
    WORLDWIDE_EXPRESS = "worldwide_express"
    WORLDWIDE_EXPRESS_PLUS = "worldwide_express_plus"
    WORLDWIDE_EXPEDITED = "worldwide_expedited"
    WORLDWIDE_SAVER = "worldwide_saver"
