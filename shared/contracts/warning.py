"""What a person may want to know of a row that ships nevertheless."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class WarningCode(StrEnum):
    """Every kind of warning, by the name that `--json` and reports give it."""

    ADDRESS_SUGGESTED = "address_suggested"
    ADDRESS_UNKNOWN = "address_unknown"
    ADDRESS_INCOMPLETE = "address_incomplete"
    POSTAL_CODE_UNUSUAL = "postal_code_unusual"
    RESIDENTIAL = "residential"
    ZIP_STATE_MISMATCH = "zip_state_mismatch"
    PHONE_UNUSUAL = "phone_unusual"
    TEXT_CUT = "text_cut"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    NOT_NEGOTIATED = "not_negotiated"
    INVOICE_MISSING = "invoice_missing"


class RowWarning(BaseModel):
    """One warning: a sentence for a person, the shipment's `field` it is about, and what that might be instead.

    A suggestion is never put into the shipment: a person changes the source, or lets it be.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: WarningCode
    message: str
    field: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        return f"{self.message} Suggested: {self.suggestion}" if self.suggestion else self.message
