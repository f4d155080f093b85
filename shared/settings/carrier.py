"""What a shipper is told: the carrier account and the label store."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr

from shared.settings.service import ServiceSettings


class CarrierSettings(BaseModel):
    """The carrier account and the times a call may take, in seconds.

    `consistency` is what the carrier promises of a look-up by reference right after a label was bought: `immediate`,
    `eventual` (within `settle_time`) or `none`.

    `max_concurrency` calls are made at once and `calls_per_second` begun (0: any number), by all shippers of the
    account together.

    `negotiated_rates` says that the account has rates of its own, so that a price by others is worth a warning.
    """

    url: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    account: str = ""
    consistency: Literal["immediate", "eventual", "none"] = "eventual"
    settle_time: Annotated[float, Field(ge=0)] = 120.0
    send_within: Annotated[float, Field(gt=0)] = 10.0
    call_timeout: Annotated[float, Field(gt=0)] = 30.0
    tcp_user_timeout: Annotated[float, Field(gt=0)] = 15.0
    commit_margin: Annotated[float, Field(ge=0)] = 5.0
    max_concurrency: Annotated[int, Field(ge=1)] = 24
    calls_per_second: Annotated[float, Field(ge=0)] = 0.0
    label_format: Literal["GIF", "ZPL", "EPL"] = "GIF"
    negotiated_rates: bool = True


class ShipperSettings(ServiceSettings):
    """The shipper: carrier account and label store."""

    carrier: CarrierSettings = CarrierSettings()
    labels_url: str = ""

    @property
    def label_store_url(self) -> str:
        """The label store: as set, else a folder in the data directory."""
        return self.labels_url or f"file://{self.data_dir.resolve() / 'labels'}"
