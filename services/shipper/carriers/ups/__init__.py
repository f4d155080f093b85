"""UPS over its REST APIs: OAuth, Rating, Shipping, Label Recovery and Track by reference."""

from services.shipper.carriers.ups.client import UpsCarrier

__all__ = ["UpsCarrier"]
