"""The commercial invoice: reading what a ship request says of it, refusing what UPS would refuse, drawing it.

Codes are of the kind that UPS has for its forms (128xxx); which fault has which number is not known.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from services.sandbox.pdf import Line, page
from services.sandbox.replies import RefusedError
from services.sandbox.wire import branch, items, text

COMMERCIAL_INVOICE = "01"
MOST_PRODUCTS = 50
_DESCRIPTION_LINES, _DESCRIPTION_LENGTH = 3, 35
_NUMBER_LENGTH, _REASON_LENGTH = 35, 20
_DATE = re.compile(r"\d{8}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_PIECES = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_COMMODITY = re.compile(r"[A-Za-z0-9]{6,15}", re.ASCII)
_VALUE_LENGTH, _VALUE_PLACES = 19, 6
_TERMS = re.compile("CFR|CIF|CIP|CPT|DAF|DDP|DAP|DEQ|DES|EXW|FAS|FCA|FOB")

_WIDTH, _HEIGHT = 612, 792  # letter
_MARGIN, _TOP, _STEP = 54, 730, 14
_SIZE, _TITLE_SIZE = 9, 16


@dataclass(frozen=True)
class Product:
    """Goods of one kind; `value` is one piece's."""

    description: str
    pieces: int
    value: Decimal
    origin: str
    commodity: str


@dataclass(frozen=True)
class Invoice:
    """A commercial invoice as asked for."""

    number: str
    date: str
    reason: str
    terms: str
    currency: str
    buyer: str
    products: tuple[Product, ...]

    @property
    def total(self) -> Decimal:
        """What all goods are worth."""
        return sum((product.pieces * product.value for product in self.products), Decimal(0))


def read_invoice(shipment: object) -> Invoice | None:
    """The invoice that a shipment asks for; None where it asks for none. Raises RefusedError 1280xx."""
    forms = branch(shipment, "ShipmentServiceOptions", "InternationalForms")
    if forms is None:
        return None
    if COMMERCIAL_INVOICE not in items(branch(forms, "FormType")):
        raise RefusedError("128001", "Missing or unsupported form type")
    number, reason, terms = (text(forms, name) for name in ("InvoiceNumber", "ReasonForExport", "TermsOfShipment"))
    buyer = branch(forms, "Contacts", "SoldTo")
    named = text(buyer, "Name") and items(branch(buyer, "Address", "AddressLine")) and text(buyer, "AttentionName")
    products = items(branch(forms, "Product"))
    for faulty, code, what in (
        (not 0 < len(number) <= _NUMBER_LENGTH, "128002", "invoice number"),
        (not _DATE.fullmatch(text(forms, "InvoiceDate")), "128003", "invoice date"),
        (not 0 < len(reason) <= _REASON_LENGTH, "128004", "reason for export"),
        (terms and not _TERMS.fullmatch(terms), "128005", "terms of shipment"),
        (not _CURRENCY.fullmatch(text(forms, "CurrencyCode")), "128006", "currency code"),
        (not named, "128007", "sold to party"),
        (not 0 < len(products) <= MOST_PRODUCTS, "128008", "product"),
    ):
        if faulty:
            raise RefusedError(code, f"Missing or invalid {what}")
    return Invoice(
        number=number,
        date=text(forms, "InvoiceDate"),
        reason=reason,
        terms=terms,
        currency=text(forms, "CurrencyCode"),
        buyer=text(buyer, "Name"),
        products=tuple(_product(product) for product in products),
    )


def drawn_invoice(invoice: Invoice, shipment_id: str) -> str:
    """The invoice as a PDF in base64."""
    told = [
        f"Shipment {shipment_id}   Invoice {invoice.number}   Date {invoice.date}",
        f"Sold to {invoice.buyer}",
        f"Reason for export {invoice.reason}" + (f"   Terms {invoice.terms}" if invoice.terms else ""),
        "",
        *(_told(product, invoice.currency) for product in invoice.products),
        "",
        f"Total {invoice.total:.2f} {invoice.currency}",
    ]
    lines = [Line(_MARGIN, _TOP, _TITLE_SIZE, "COMMERCIAL INVOICE (SAMPLE)")]
    step = min(_STEP, _TOP // (len(told) + 3))  # so many goods as there may be still fit the page
    lines += [Line(_MARGIN, _TOP - step * place, _SIZE, line) for place, line in enumerate(told, start=2) if line]
    return base64.b64encode(page(_WIDTH, _HEIGHT, lines)).decode()


def _told(product: Product, currency: str) -> str:
    commodity = product.commodity or "-"
    return (
        f"{product.pieces} x {product.description}   {commodity}   {product.origin}   {product.value} {currency} each"
    )


def _product(product: object) -> Product:
    lines = [line.strip() for line in items(branch(product, "Description")) if isinstance(line, str)]
    pieces, value = text(product, "Unit", "Number"), _value(text(product, "Unit", "Value"))
    commodity, origin = text(product, "CommodityCode"), text(product, "OriginCountryCode")
    fits = 0 < len(lines) <= _DESCRIPTION_LINES and all(0 < len(line) <= _DESCRIPTION_LENGTH for line in lines)
    for faulty, code, what in (
        (not fits, "128010", "product description"),
        (not _PIECES.fullmatch(pieces), "128011", "number of units"),
        (not text(product, "Unit", "UnitOfMeasurement", "Code"), "128012", "unit of measurement"),
        (value is None, "128013", "value of a unit"),
        (commodity and not _COMMODITY.fullmatch(commodity), "128014", "commodity code"),
        (not _COUNTRY.fullmatch(origin), "128015", "country of origin"),
    ):
        if faulty:
            raise RefusedError(code, f"Missing or invalid {what}")
    assert value is not None
    return Product(" ".join(lines), int(pieces), value, origin, commodity)


def _value(written: str) -> Decimal | None:
    try:
        value = Decimal(written)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    fits = isinstance(exponent, int) and -exponent <= _VALUE_PLACES and len(written) <= _VALUE_LENGTH
    return value if fits and value > 0 else None
