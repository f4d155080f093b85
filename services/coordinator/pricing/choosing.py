"""Which of the carrier's offers a row goes by. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.coordinator.mapping.lane import ON_SATURDAYS
from services.coordinator.mapping.service_choice import ServiceChoice
from shared.contracts.rates import Offer
from shared.errors import NO_SERVICE_IN_TIME, NO_SERVICE_OFFERED, ErrorBody, TallyError
from shared.shipping import ServiceLevel, Shipment

_ORDER = {level: place for place, level in enumerate(ServiceLevel)}


def fits(service: ServiceLevel, shipment: Shipment) -> bool:
    """Whether a service does what the shipment asks for, and the shipment has what the service wants."""
    if shipment.saturday_delivery and service not in ON_SATURDAYS:
        return False
    return service is not ServiceLevel.NEXT_DAY_AIR_EARLY or bool(shipment.recipient.phone)


def choose(offers: Iterable[Offer], choice: ServiceChoice, shipment: Shipment) -> Offer | ErrorBody:
    """The cheapest offer that is in time, of equally cheap ones the earliest; or why there is none (E-3041, E-3042)."""
    offered = [offer for offer in offers if fits(offer.service, shipment)]
    if not offered:
        what = "delivered on Saturdays" if shipment.saturday_delivery else "without the recipient's phone"
        return TallyError(NO_SERVICE_OFFERED, reason=f"none of its lane is {what}").body
    if choice.by is None:
        return _cheapest(offered)
    in_time = [offer for offer in offered if offer.arrival is not None and offer.arrival <= choice.by]
    return _cheapest(in_time) if in_time else _too_late(offered, choice.by)


def _cheapest(offers: Sequence[Offer]) -> Offer:
    return min(offers, key=lambda offer: (offer.cost.amount, offer.arrival or date.max, _ORDER[offer.service]))


def _too_late(offers: Sequence[Offer], by: date) -> ErrorBody:
    arrivals = [(offer.arrival, offer.service.value) for offer in offers if offer.arrival is not None]
    earliest = "{1} would be first, on {0}".format(*min(arrivals)) if arrivals else "none says when it arrives"
    return TallyError(NO_SERVICE_IN_TIME, by=by, earliest=earliest).body
