"""What customs is told of a shipment that crosses a border: lines of goods, their value, the terms of the sale."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.shipping.address import Country
from shared.shipping.money import Currency, Money

# Lengths are UPS Shipping v2409's (InternationalForms/Product): a description has three lines of 35 characters.
HsCode = Annotated[str, StringConstraints(pattern=r"^([A-Z0-9]{6,15})?$")]
MOST_LINES = 50


class Terms(StrEnum):
    """Who pays and risks what on the way, by the codes of the Incoterms that UPS takes."""

    CFR = "CFR"
    CIF = "CIF"
    CIP = "CIP"
    CPT = "CPT"
    DAF = "DAF"
    DAP = "DAP"
    DDP = "DDP"
    DEQ = "DEQ"
    DES = "DES"
    EXW = "EXW"
    FAS = "FAS"
    FCA = "FCA"
    FOB = "FOB"


class CustomsLine(BaseModel):
    """Goods of one kind; `unit_value` is one piece's, in the currency of the Customs it belongs to.

    `origin` is the country where they were made (ISO 3166-1 alpha-2), `hs_code` their number in the Harmonized System
    (or a national tariff that is longer) without points, '' where it is not given.
    """

    model_config = ConfigDict(frozen=True)

    description: Annotated[str, StringConstraints(min_length=1, max_length=105)]
    origin: Country
    quantity: Annotated[int, Field(ge=1, le=9_999_999)]
    unit_value: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
    hs_code: HsCode = ""
    sku: Annotated[str, StringConstraints(max_length=35)] = ""

    @property
    def value(self) -> Decimal:
        """What all its pieces are worth."""
        return self.quantity * self.unit_value


class Customs(BaseModel):
    """What a commercial invoice says; `reason` is why the goods are exported, in UPS's word or another one."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[CustomsLine, ...] = Field(min_length=1, max_length=MOST_LINES)
    currency: Currency = "USD"
    reason: Annotated[str, StringConstraints(min_length=1, max_length=20)] = "SALE"
    terms: Terms | None = None

    @property
    def total(self) -> Money:
        """What all goods are worth."""
        return Money(amount=sum((line.value for line in self.lines), Decimal(0)), currency=self.currency)
