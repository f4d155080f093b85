"""What a request asks for besides carriage: Saturday delivery and signatures.

Codes are of the kind that UPS has for service options (1210xx); which fault has which number is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from services.sandbox.lanes import Place, is_domestic
from services.sandbox.replies import RefusedError
from services.sandbox.wire import branch, items, text


class Signed(Enum):
    """Whose signature is asked for."""

    NOBODY = "nobody"
    ANYBODY = "anybody"
    ADULT = "adult"


@dataclass(frozen=True)
class Options:
    """The options of a shipment; `signed` has one entry per parcel."""

    saturday: bool
    signed: tuple[Signed, ...]


# Within the US and Puerto Rico a signature is asked for per package, elsewhere per shipment, by numbers of its own.
_PER_PACKAGE = {"": Signed.NOBODY, "2": Signed.ANYBODY, "3": Signed.ADULT}
_PER_SHIPMENT = {"": Signed.NOBODY, "1": Signed.ANYBODY, "2": Signed.ADULT}


def read_options(shipment: object, origin: Place, recipient: Place) -> Options:
    """The options of a request's `Shipment`. Raises RefusedError 121020 for a signature that the lane does not have."""
    packages = items(branch(shipment, "Package"))
    for_all = text(shipment, "ShipmentServiceOptions", "DeliveryConfirmation", "DCISType")
    each = [text(package, "PackageServiceOptions", "DeliveryConfirmation", "DCISType") for package in packages]
    by_package = is_domestic(origin, recipient)
    numbers, known = (each, _PER_PACKAGE) if by_package else ([for_all] * len(packages), _PER_SHIPMENT)
    misplaced = for_all if by_package else any(each)
    if misplaced or any(number not in known for number in numbers):
        raise RefusedError("121020", "The delivery confirmation is not available for this shipment")
    return Options(
        saturday=branch(shipment, "ShipmentServiceOptions", "SaturdayDeliveryIndicator") is not None,
        signed=tuple(known[number] for number in numbers),
    )
