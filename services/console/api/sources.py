"""Sources over HTTP: what they are and what shipping them would cost; and who is there to do it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.console.answers import ERRORS
from services.console.api.orders import SourceQuestion
from services.console.wiring import House
from shared.contracts.api import ServiceStatus
from shared.contracts.documents import InspectionDocument, PreviewDocument
from shared.errors import BUS_TIMEOUT, TallyError

PREVIEW_WITHIN = 600.0

router = APIRouter(prefix="/api/v1", tags=["sources"], responses=ERRORS)


class Presence(BaseModel):
    """Every process of every service that answers."""

    services: tuple[ServiceStatus, ...]


@router.post("/preview")
async def preview_source(
    request: SourceQuestion, house: House, limit: Annotated[int, Query(ge=1, le=1000)] = 20
) -> PreviewDocument:
    """What shipping a source would cost, and its first `limit` rows one by one; no job is made."""
    try:
        async with asyncio.timeout(PREVIEW_WITHIN):
            return await house.client.preview(request, limit)
    except TimeoutError as error:
        seconds = f"{PREVIEW_WITHIN:g}"
        raise TallyError(BUS_TIMEOUT, service="coordinator", subject="preview", seconds=seconds) from error


@router.post("/inspect")
async def inspect_source(request: SourceQuestion, house: House) -> InspectionDocument:
    """How a source is read and mapped; no job is made and no carrier asked."""
    return await house.client.inspect(request)


@router.get("/status", tags=["house"])
async def show_status(house: House) -> Presence:
    """Which processes of which services answer."""
    return Presence(services=await house.client.services())
