"""Address checks: core request and reply on `tally.addresses.check`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.message import Message
from shared.errors import ErrorBody
from shared.shipping import Address


class AddressQuestion(Message):
    """Addresses that the carrier is to look up; the reply has a finding for each, in this order.

    It comes `within` so many seconds, if that is given, with the findings that there are by then.
    """

    addresses: tuple[Address, ...]
    within: Annotated[float, Field(gt=0)] | None = None


class KnownAddress(BaseModel):
    """An address as the carrier's directory has it; `lines` may be empty where only the place is known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lines: tuple[str, ...] = ()
    city: str = ""
    state: str = ""
    postal_code: str = ""

    def __str__(self) -> str:
        """`12 Main St, Austin, TX 78701`."""
        place = " ".join(filter(None, (self.state, self.postal_code)))
        return ", ".join(filter(None, (*self.lines, self.city, place)))


class AddressFinding(BaseModel):
    """What the carrier knows of an address, or why that is not known; neither where the time was up.

    `verdict` says whether it is in the directory, or several like it are, the likeliest of them being `known`.
    `residential` is what the carrier counts it as; null where it does not know.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: Literal["valid", "ambiguous", "unknown"] | None = None
    known: KnownAddress | None = None
    residential: bool | None = None
    error: ErrorBody | None = None


class AddressFindings(Message):
    """The findings, in the question's order."""

    findings: tuple[AddressFinding, ...]
