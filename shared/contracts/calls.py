"""The calls made to a carrier for a row, as the audit trail tells them: when and how, never what was said."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.message import Timestamp

# Quotes are not told: they buy nothing, and a preview has thousands.
CallKind = Literal["ship", "void", "recover", "track", "label"]


class CarrierCall(BaseModel):
    """One exchange with a carrier.

    `recover` and `track` look a shipment up by its reference, `label` fetches the label of a known one. `request_id` is
    ours, `carrier_id` the carrier's name for the exchange, '' where it has none. `status` is that of the HTTP answer,
    null where no whole answer came; `sent` is false where not a byte of the request went. `ms` is how long it all took.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: Timestamp
    kind: CallKind
    request_id: str
    carrier_id: str = ""
    status: int | None = None
    sent: bool = True
    ms: int
