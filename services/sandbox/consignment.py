"""Reading a Rate or Ship request into what is priced and sold, refusing what UPS would refuse.

Codes 111285, 120100, 120124, 120200 to 120209, 120500, 120541 and 120542 are UPS's for the very fault named. Of the
others the hundred is UPS's (1201xx shipper, 1203xx ship-from, 12060x package); the last digit may differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from services.sandbox.invoice import Invoice, read_invoice
from services.sandbox.lanes import DOMESTIC, Place, is_domestic, takes_package_references
from services.sandbox.options import Options, Signed, read_options
from services.sandbox.rates import (
    ADULT_SIGNATURE_FEE,
    SATURDAY_FEE,
    SERVICES,
    SIGNATURE_FEE,
    Parcel,
    Service,
    declared_value_fee,
)
from services.sandbox.replies import RefusedError
from services.sandbox.wire import branch, items, text

MAX_PACKAGES = 200
MAX_REFERENCES = 2
MAX_REFERENCE = 35
MAX_LINES = 3
MAX_NAME = MAX_LINE = 35
MAX_CITY = 30
MAX_POSTAL_CODE = 9
MAX_PHONE = 15
MAX_WEIGHT_TEXT = 5
MAX_POUNDS = Decimal(150)
MAX_SIDE = Decimal(108)
MAX_DECLARED_VALUE = Decimal(50_000)

_FEES = {Signed.NOBODY: Decimal("0.00"), Signed.ANYBODY: SIGNATURE_FEE, Signed.ADULT: ADULT_SIGNATURE_FEE}
_POUNDS_PER_KILOGRAM = Decimal("2.20462")
_CENTIMETRES_PER_INCH = Decimal("2.54")
_SHIPPER_NUMBER = re.compile(r"[A-Za-z0-9]{6}", re.ASCII)
_POSTAL_CODES = {
    "US": re.compile(r"(?!00000|99999)\d{5}(-?\d{4})?", re.ASCII),
    "PR": re.compile(r"00[679]\d\d(-?\d{4})?", re.ASCII),
    "CA": re.compile(r"[A-Z]\d[A-Z] ?\d[A-Z]\d", re.ASCII | re.IGNORECASE),
}
# States, territories, freely associated states and military mail.
_STATES = re.compile(
    "A[AEKLPRSZ]|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEHINOPST]|N[CDEHJMVY]|O[HKR]|P[ARW]|RI|S[CD]|T[NX]|UT|"
    "V[AIT]|W[AIVY]"
)


@dataclass(frozen=True)
class Dialect:
    """Where Rating and Shipping differ: element names, code numbers, how much of an address must be there."""

    packaging: str
    shipper: int
    recipient: int
    origin: int
    unknown_service: str
    unserved_lane: str
    no_package: str
    weight: str
    full_address: bool


SHIPPING = Dialect("Packaging", 120101, 120200, 120300, "120500", "120124", "120600", "120603", full_address=True)
RATING = Dialect("PackagingType", 110101, 110200, 110300, "111100", "111210", "110002", "111030", full_address=False)


@dataclass(frozen=True)
class Consignment:
    """A request as read; `service` is None where all services are asked for (Shop)."""

    shipper_number: str
    origin: Place
    recipient: Place
    service: Service | None
    parcels: tuple[Parcel, ...]
    references: tuple[str, ...]
    negotiated: bool
    saturday: bool
    invoice: Invoice | None


def read(shipment: object, dialect: Dialect, *, shop: bool = False, negotiable: bool = True) -> Consignment:
    """Read a request's `Shipment` element; raises RefusedError with the code of the first fault.

    `negotiable` says whether the account has rates of its own.
    """
    if not isinstance(shipment, dict):
        raise RefusedError("10002", "The request is well formed but the request is not valid")
    shipper_number = text(shipment, "Shipper", "ShipperNumber")
    if not _SHIPPER_NUMBER.fullmatch(shipper_number) and (shipper_number or dialect.full_address):
        raise RefusedError("120100", "Missing or invalid shipper number")
    shipper = _party(shipment["Shipper"], "shipper", dialect.shipper, dialect)
    recipient = _party(branch(shipment, "ShipTo"), "ship to", dialect.recipient, dialect)
    ship_from = branch(shipment, "ShipFrom")
    origin = _party(ship_from, "ship from", dialect.origin, dialect) if ship_from else shipper
    if dialect.full_address and not is_domestic(origin, recipient):
        _require_phone(branch(shipment, "ShipTo"), dialect.recipient)
    options = read_options(shipment, origin, recipient)
    return Consignment(
        shipper_number=shipper_number.upper(),
        origin=origin,
        recipient=recipient,
        service=None if shop else _service(shipment, origin, recipient, options, dialect),
        parcels=_parcels(shipment, options, dialect),
        references=_references(shipment, origin, recipient) if dialect.full_address else (),
        negotiated=negotiable and branch(shipment, "ShipmentRatingOptions", "NegotiatedRatesIndicator") is not None,
        saturday=options.saturday,
        invoice=read_invoice(shipment) if dialect.full_address else None,
    )


def _party(party: object, who: str, first_code: int, dialect: Dialect) -> Place:
    """The place of a shipper, recipient or ship-from; the code of each field lies a fixed step above `first_code`."""

    def refuse(step: int, field: str) -> RefusedError:
        return RefusedError(str(first_code + step), f"Missing or invalid {who} {field}")

    address = branch(party, "Address")
    place = Place(
        country=text(address, "CountryCode").upper(),
        postal_code=text(address, "PostalCode"),
        state=text(address, "StateProvinceCode").upper(),
        city=text(address, "City"),
        residential=branch(address, "ResidentialAddressIndicator") is not None,
    )
    if not re.fullmatch(r"[A-Z]{2}", place.country):
        raise refuse(8, "country code")
    if dialect.full_address:
        if not 0 < len(text(party, "Name")) <= MAX_NAME:
            raise refuse(0, "company name")
        if len(text(party, "AttentionName")) > MAX_NAME:
            raise refuse(1, "attention name")
        lines = [line.strip() for line in items(branch(address, "AddressLine")) if isinstance(line, str)]
        if not 0 < len(lines) <= MAX_LINES or not lines[0] or max(map(len, lines)) > MAX_LINE:
            raise refuse(2, "address line")
        if not 0 < len(place.city) <= MAX_CITY:
            raise refuse(5, "city")
        if place.country == "US" and not _STATES.fullmatch(place.state):
            raise refuse(6, "StateProvinceCode")
        if len(text(party, "Phone", "Number")) > MAX_PHONE:
            raise refuse(9, "phone number")
    _check_postal_code(place, refuse(7, "postal code"))
    return place


def _check_postal_code(place: Place, missing: RefusedError) -> None:
    form = _POSTAL_CODES.get(place.country)
    if (form and not place.postal_code) or len(place.postal_code.replace("-", "")) > MAX_POSTAL_CODE:
        raise missing
    if form and not form.fullmatch(place.postal_code):
        raise RefusedError(
            "111285",
            f"The postal code {place.postal_code} is invalid for {place.state or place.country} {place.country}.",
        )


def _require_phone(recipient: object, first_code: int) -> None:
    if not text(recipient, "Phone", "Number"):
        raise RefusedError(str(first_code + 9), "Missing or invalid ship to phone number")


def _service(shipment: object, origin: Place, recipient: Place, options: Options, dialect: Dialect) -> Service:
    service = SERVICES.get(text(shipment, "Service", "Code"))
    if service is None:
        raise RefusedError(dialect.unknown_service, "Missing or invalid service code")
    if not service.runs(origin, recipient) or not {origin.country, recipient.country} & DOMESTIC:
        raise RefusedError(
            dialect.unserved_lane, "The requested service is unavailable between the selected locations."
        )
    if options.saturday and not service.on_saturdays:
        raise RefusedError("121010", "Saturday delivery is not available for the requested service")
    return service


def _parcels(shipment: object, options: Options, dialect: Dialect) -> tuple[Parcel, ...]:
    packages = items(branch(shipment, "Package"))
    if not 0 < len(packages) <= MAX_PACKAGES:
        raise RefusedError(dialect.no_package, f"A shipment has 1 to {MAX_PACKAGES} packages")
    return tuple(
        _parcel(package, _FEES[signed] + SATURDAY_FEE * options.saturday, dialect)
        for package, signed in zip(packages, options.signed, strict=True)
    )


def _parcel(package: object, fee: Decimal, dialect: Dialect) -> Parcel:
    if not text(package, dialect.packaging, "Code"):
        raise RefusedError("120601", "Missing or invalid package type")
    unit = text(package, "PackageWeight", "UnitOfMeasurement", "Code").upper()
    if unit not in {"LBS", "KGS"}:
        raise RefusedError("120602", "Missing or invalid unit of measurement of the package weight")
    written = text(package, "PackageWeight", "Weight")
    weight = _number(written) * (_POUNDS_PER_KILOGRAM if unit == "KGS" else 1)
    if len(written) > MAX_WEIGHT_TEXT or not 0 < weight <= MAX_POUNDS:
        raise RefusedError(dialect.weight, "Missing or invalid package weight")
    return Parcel(weight, _sides(branch(package, "Dimensions")), fee + declared_value_fee(_declared_value(package)))


def _declared_value(package: object) -> Decimal:
    declared = branch(package, "PackageServiceOptions", "DeclaredValue")
    if declared is None:
        return Decimal(0)
    value = _number(text(declared, "MonetaryValue"))
    if not 0 < value <= MAX_DECLARED_VALUE or not re.fullmatch("[A-Z]{3}", text(declared, "CurrencyCode")):
        raise RefusedError("120605", "Missing or invalid declared value")
    return value


def _sides(dimensions: object) -> tuple[Decimal, Decimal, Decimal] | None:
    if dimensions is None:
        return None
    scale = _CENTIMETRES_PER_INCH if text(dimensions, "UnitOfMeasurement", "Code").upper() == "CM" else Decimal(1)
    length, width, height = (_number(text(dimensions, side)) / scale for side in ("Length", "Width", "Height"))
    if min(length, width, height) <= 0 or max(length, width, height) > MAX_SIDE:
        raise RefusedError("120604", "Missing or invalid package dimensions")
    return length, width, height


def _number(written: str) -> Decimal:
    """The number as written, 0 where it is none."""
    try:
        value = Decimal(written)
    except InvalidOperation:
        return Decimal(0)
    return value if value.is_finite() else Decimal(0)


def _references(shipment: object, origin: Place, recipient: Place) -> tuple[str, ...]:
    """The references, in order, each once; every package of a shipment may carry the same ones."""
    on_shipment = items(branch(shipment, "ReferenceNumber"))
    on_packages = [items(branch(package, "ReferenceNumber")) for package in items(branch(shipment, "Package"))]
    by_package = takes_package_references(origin, recipient)
    if len(on_shipment) > MAX_REFERENCES or (by_package and on_shipment):
        raise RefusedError("120541", "Shipment/ReferenceNumber is not allowed for this shipment")
    if any(on_packages) and not by_package:
        raise RefusedError("120542", "Package/ReferenceNumber is not allowed for this shipment")
    if any(len(references) > MAX_REFERENCES for references in on_packages):
        raise RefusedError("120541", f"A package carries at most {MAX_REFERENCES} reference numbers")
    carriers = on_packages if by_package else [on_shipment]
    values = [text(reference, "Value") for references in carriers for reference in references]
    if any(not 0 < len(value) <= MAX_REFERENCE for value in values):
        raise RefusedError("120541", "Missing or invalid reference number value")
    return tuple(dict.fromkeys(values))
