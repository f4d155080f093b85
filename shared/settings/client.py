"""What a client is told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.settings.service import ServiceSettings


class ClientSettings(ServiceSettings):
    """Clients: the command line and whatever else speaks to the bus."""

    timeout: Annotated[float, Field(gt=0)] = 10.0
