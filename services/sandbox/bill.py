"""Charges as Rating and Shipping write them."""

from __future__ import annotations

from decimal import Decimal

from services.sandbox.rates import Charges
from services.sandbox.replies import CURRENCY, amount
from services.sandbox.wire import Json

RESIDENTIAL = "270"
_NOTHING = Decimal("0.00")


def shipment_charges(charges: Charges) -> Json:
    """The charges of a whole shipment."""
    return {
        "BaseServiceCharge": amount(sum(charges.bases, _NOTHING)),
        "TransportationCharges": amount(charges.transportation),
        "ItemizedCharges": itemized(sum(charges.surcharges, _NOTHING)),
        "ServiceOptionsCharges": amount(sum(charges.fees, _NOTHING)),
        "TotalCharges": amount(charges.total),
    }


def package_charges(charges: Charges, place: int) -> Json:
    """The charges of the package at `place`, from 0."""
    return {
        "BaseServiceCharge": amount(charges.bases[place]),
        "ServiceOptionsCharges": amount(charges.fees[place]),
        "ItemizedCharges": itemized(charges.surcharges[place]),
    }


def negotiated_charges(charges: Charges) -> Json:
    """The charge under negotiated rates."""
    return {"TotalCharge": amount(charges.negotiated)}


def itemized(surcharge: Decimal) -> list[Json]:
    """The residential surcharge, where there is one."""
    if not surcharge:
        return []
    return [{"Code": RESIDENTIAL, "CurrencyCode": CURRENCY, "MonetaryValue": f"{surcharge:.2f}"}]
