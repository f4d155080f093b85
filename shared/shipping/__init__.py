"""The field's nouns: money, address, contact, package, shipment, customs and service level."""

from shared.shipping.address import Address, Contact
from shared.shipping.customs import Customs, CustomsLine, Terms
from shared.shipping.lane import country_of, crosses_customs
from shared.shipping.money import Money
from shared.shipping.service_level import ServiceLevel
from shared.shipping.shipment import Dimensions, Package, Shipment, Signature

__all__ = [
    "Address",
    "Contact",
    "Customs",
    "CustomsLine",
    "Dimensions",
    "Money",
    "Package",
    "ServiceLevel",
    "Shipment",
    "Signature",
    "Terms",
    "country_of",
    "crosses_customs",
]
