"""The field's nouns: money, address, contact, package, shipment and service level."""

from shared.shipping.address import Address, Contact
from shared.shipping.money import Money
from shared.shipping.service_level import ServiceLevel
from shared.shipping.shipment import Dimensions, Package, Shipment

__all__ = ["Address", "Contact", "Dimensions", "Money", "Package", "ServiceLevel", "Shipment"]
