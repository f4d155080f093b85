"""How shippers share a carrier account's limit: a register of who may make how many calls, and word of a rest."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.message import Message, Timestamp


class Share(BaseModel):
    """One shipper's part: `places` calls at once until `until`; `limit` is the account's, as its settings have it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    places: Annotated[int, Field(ge=0)]
    limit: Annotated[int, Field(ge=1)]
    until: Timestamp


class AccountPlaces(Message):
    """Every shipper's share of one account, by the shipper's id; no call is made before `rests_until`."""

    shares: dict[str, Share] = Field(default_factory=dict)
    rests_until: Timestamp | None = None


class AccountRests(Message):
    """A shipper was told by the carrier to make no call of the account for so many seconds."""

    shipper: str
    seconds: Annotated[float, Field(ge=0)]
