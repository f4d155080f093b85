"""What the sandbox carrier is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from shared.settings.service import ServiceSettings
from shared.shipping import Address, Contact

SANDBOX_SHIP_FROM = Contact(
    name="Tallyman Sandbox Warehouse",
    phone="5125550100",
    address=Address(lines=("100 Congress Ave",), city="Austin", state="TX", postal_code="78701"),
)


class SandboxSettings(ServiceSettings):
    """The sandbox carrier: where it listens (port 0: a free one), how long an answer takes, whom it lets in.

    Without `client_id` any non-empty credentials will do. `token_lifetime` is in seconds.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    token_lifetime: Annotated[int, Field(ge=1)] = 14_399
