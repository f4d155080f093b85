"""From a source's row to a Shipment: mappings, the filters of the trade, validation and the content fingerprint."""

from services.coordinator.mapping.fields import Fields
from services.coordinator.mapping.fingerprint import content_fingerprint
from services.coordinator.mapping.mapping import Mapping, load_mapping
from services.coordinator.mapping.problems import RowInvalidError
from services.coordinator.mapping.shipment import Defaults, Senders, map_order

__all__ = [
    "Defaults",
    "Fields",
    "Mapping",
    "RowInvalidError",
    "Senders",
    "content_fingerprint",
    "load_mapping",
    "map_order",
]
